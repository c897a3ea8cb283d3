// An HTTP request -> what it asks of REST.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "domain/rest.hpp"
#include "net/http_message.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace jessica::net {

/// The schema whose tables and functions clients reach.
inline constexpr auto exposed_schema = std::string_view{"public"};

/// The query without the API key, which is neither a filter nor to be repeated.
[[nodiscard]] std::string without_key(std::string_view query);

/// An error of the REST dialect with the texts its clients show.
[[nodiscard]] error dialect_error(std::string code, std::string message,
                                  std::string details = {}, std::string hint = {});

/// `target` is a table, or a function when `action` is a call. Fails: invalid_input
/// with PostgREST's code: PGRST100 to 108 and 122, 123.
[[nodiscard]] result<std::shared_ptr<const rest_request>>
rest_request_of(const http_request& asked, identity who, rest_action action,
                std::string target);

/// What asks for the description at the root; `url` is where the REST API is. Fails:
/// invalid_input PGRST106, PGRST107.
[[nodiscard]] result<std::shared_ptr<const rest_request>>
describe_request_of(const http_request& asked, identity who, std::string url);

} // namespace jessica::net
