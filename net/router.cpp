#include "net/router.hpp"

#include "net/foreign_users.hpp"
#include "net/gate.hpp"
#include "net/routes.hpp"
#include "net/static_files.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::net {

namespace {

constexpr auto shown_path_bytes = std::size_t{256};

/// What the table says about a request: a row, or the methods its path would take.
struct found_route {
  const route* row = nullptr;
  std::string_view rest;
  std::string methods; ///< for Allow; empty: the path is unknown
};

/// The part of `path` that the pattern's '*' stands for; nullopt: no match.
[[nodiscard]] std::optional<std::string_view> match(std::string_view pattern,
                                                    std::string_view path) {
  if (!pattern.ends_with('*'))
    return pattern == path ? std::optional{std::string_view{}} : std::nullopt;
  pattern.remove_suffix(1);
  if (!path.starts_with(pattern))
    return std::nullopt;
  return path.substr(pattern.size());
}

/// HEAD is answered by the row of GET. A row for any method does not catch what an
/// earlier row knows with other methods: that is a 405.
[[nodiscard]] bool takes(const route& row, std::string_view method, bool known) {
  if (row.method == "*")
    return !known;
  return row.method == method || (row.method == "GET" && method == "HEAD");
}

[[nodiscard]] found_route find_route(std::string_view method, std::string_view path) {
  auto found = found_route{};
  static const auto tables = route_tables();
  for (const auto& table : tables)
    for (const auto& row : table) {
      const auto rest = match(row.path, path);
      if (!rest)
        continue;
      if (takes(row, method, !found.methods.empty())) {
        found.row = &row;
        found.rest = *rest;
        return found;
      }
      if (row.method == "*")
        continue;
      found.methods += found.methods.empty() ? "" : ", ";
      found.methods += row.method == "GET" ? "GET, HEAD" : row.method;
    }
  return found;
}

[[nodiscard]] http_response wrong_method(std::string methods,
                                         const http_request& what) {
  auto answer = refuse_for("method_not_allowed", errc::invalid_input, what);
  answer.headers.emplace_back("Allow", std::move(methods));
  return answer;
}

/// Each reactor is one thread and keeps its own copy of the page: no lock.
[[nodiscard]] static_files& page_files(const std::filesystem::path& root) {
  thread_local auto files = std::optional<static_files>{};
  if (!files || files->root() != root)
    files.emplace(root);
  return *files;
}

[[nodiscard]] http_response page_or_nothing(const http_request& what,
                                            const std::filesystem::path& root) {
  if (api_of(what.path) == api::page && (what.method == "GET" || what.method == "HEAD"))
    if (auto file = page_files(root).serve(what))
      return std::move(*file);
  return refuse(refusal{404, "NOT_FOUND", "There is nothing under this path"}, what);
}

answering dispatch(const http_request& what, call in) {
  if (auto allowed = preflight(what))
    co_return std::move(*allowed);
  const auto& settings = in.with.settings;
  auto found = find_route(what.method, what.path);
  if (found.row == nullptr)
    co_return found.methods.empty() ? page_or_nothing(what, settings.net.web_root)
                                    : wrong_method(std::move(found.methods), what);
  auto who = admit(what, found.row->allowed, in.with.credentials,
                   settings.auth.require_apikey, now());
  if (!who)
    co_return refuse(who.error(), what, false);
  if (const auto known = co_await welcome(*who, what.method, in); !known)
    co_return refuse(known.error(), what, true);
  const auto admitted_call = admitted{what, found.rest, std::move(*who)};
  co_return co_await found.row->run(admitted_call, in);
}

/// dispatch() behind the wall that no exception passes.
answering guarded_dispatch(const http_request& what, call in) {
  auto cause = std::string{};
  try {
    co_return co_await dispatch(what, in);
  } catch (const std::exception& e) {
    cause = e.what();
  } catch (...) {
    cause = "not a std::exception";
  }
  co_return refuse(error{errc::internal, std::move(cause), {}, nullptr}, what, false);
}

/// Tokens and accounts belong into no cache, unless a route says otherwise.
void forbid_storing(http_response& answer) {
  const auto is_cache_control = [](const auto& header) {
    return header.first == "Cache-Control";
  };
  if (std::ranges::none_of(answer.headers, is_cache_control))
    answer.headers.emplace_back("Cache-Control", "no-store");
}

} // namespace

boost::asio::awaitable<http_response> answer(http_request what, call in) {
  const auto started = std::chrono::steady_clock::now();
  auto answered = co_await guarded_dispatch(what, in);
  add_cors(answered);
  if (api_of(what.path) == api::auth)
    forbid_storing(answered);
  const auto spent = std::chrono::steady_clock::now() - started;
  ops::debug("request.answered",
             {{"method", what.method},
              {"path", std::string_view{what.path}.substr(0, shown_path_bytes)},
              {"status", answered.status},
              {"micros",
               std::chrono::duration_cast<std::chrono::microseconds>(spent).count()}});
  co_return answered;
}

std::vector<std::span<const route>> route_tables() {
  return {auth_routes(),
          auth_mail_routes(),
          auth_user_routes(),
          auth_admin_routes(),
          switched_off_auth_routes(),
          rest_routes(),
          auth_proxy_routes(),
          memory_routes(),
          branch_routes(),
          function_routes(),
          realtime_routes(),
          openai_routes(),
          openai_model_routes(),
          ops_routes()};
}

http_response refuse_for(std::string reason, errc code, const http_request& asked) {
  return refuse(error{code, {}, std::move(reason), nullptr}, asked, false);
}

http_response json_response(int status, std::string body) {
  auto answer = http_response{};
  answer.status = status;
  answer.headers.emplace_back("Content-Type", "application/json");
  answer.body = std::move(body);
  return answer;
}

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

} // namespace jessica::net
