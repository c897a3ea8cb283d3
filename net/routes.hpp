// The routes' shape: what the table of router.cpp is made of.
#pragma once

#include "domain/identity.hpp"
#include "net/gate.hpp"
#include "net/http_message.hpp"
#include "net/router.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::net {

/// A request that passed the gate. Outlives the route's coroutine.
struct admitted {
  const http_request& request;
  std::string_view rest; ///< what the route's '*' stands for
  identity who;
};

using answering = boost::asio::awaitable<http_response>;

/// One row of the table; the first that fits wins.
struct route {
  std::string_view method; ///< "*": any
  std::string_view path;   ///< a '*' at the end stands for any rest, "" included
  caller allowed = caller::key_holder;
  answering (*run)(const admitted& what, call in) = nullptr;
};

[[nodiscard]] std::span<const route> auth_routes();
[[nodiscard]] std::span<const route> auth_mail_routes();
[[nodiscard]] std::span<const route> auth_user_routes();
[[nodiscard]] std::span<const route> auth_admin_routes();
[[nodiscard]] std::span<const route> switched_off_auth_routes();
[[nodiscard]] std::span<const route> rest_routes();
[[nodiscard]] std::span<const route> auth_proxy_routes(); ///< before function_routes
[[nodiscard]] std::span<const route> memory_routes();     ///< before function_routes
[[nodiscard]] std::span<const route> branch_routes();     ///< before function_routes
[[nodiscard]] std::span<const route> function_routes();
[[nodiscard]] std::span<const route> realtime_routes();
[[nodiscard]] std::span<const route> openai_routes();
[[nodiscard]] std::span<const route> openai_model_routes(); ///< after openai_routes
[[nodiscard]] std::span<const route> ops_routes();
/// All of them, in the order in which they are looked at.
[[nodiscard]] std::vector<std::span<const route>> route_tables();

/// A refusal that wire/problem.hpp has the words for.
[[nodiscard]] http_response refuse_for(std::string reason, errc code,
                                       const http_request& asked);

[[nodiscard]] http_response json_response(int status, std::string body);

/// The moment tokens are made and checked by.
[[nodiscard]] std::chrono::sys_seconds now();

} // namespace jessica::net
