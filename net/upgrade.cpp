#include "net/upgrade.hpp"

#include "wire/credentials.hpp"
#include "wire/rest_query.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

namespace jessica::net {
namespace {

constexpr auto key_header = std::string_view{"sec-websocket-key"};

bool in_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         c == '+' || c == '/';
}

/// One key of 16 bytes in base64.
bool has_proper_key(const http_request& request) {
  constexpr auto padding = std::string_view{"=="};
  constexpr auto characters = std::size_t{22};
  const auto key = request.header(key_header);
  return std::ranges::count(request.headers, key_header,
                            &header_list::value_type::first) == 1 &&
         key.size() == characters + padding.size() && key.ends_with(padding) &&
         std::ranges::all_of(key.substr(0, characters), in_base64);
}

/// A request without an origin is not from a web page.
bool comes_from_allowed(const http_request& request, std::string_view list) {
  return std::ranges::all_of(request.headers, [&](const auto& field) {
    return field.first != "origin" || origin_allowed(list, field.second);
  });
}

std::string_view trimmed(std::string_view text) {
  const auto first = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

/// Whom the API key names.
result<identity> identify(const http_request& request,
                          std::optional<std::string_view> parameter,
                          const backend& with) {
  auto key = request.header("x-api-key");
  if (key.empty())
    key = request.header("apikey");
  if (key.empty())
    key = parameter.value_or("");
  if (key.empty() && !with.settings.auth.require_apikey)
    return identity{};
  if (key.empty())
    return fail(errc::unauthenticated, "API key is missing", "no_api_key");
  return wire::resolve_api_key(
      with.credentials, key,
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()));
}

} // namespace

bool origin_allowed(std::string_view list, std::string_view origin) {
  return trimmed(list).empty() ||
         std::ranges::any_of(list | std::views::split(','), [&](const auto& part) {
           const auto one = trimmed(std::string_view{part});
           return !one.empty() && boost::beast::iequals(one, origin);
         });
}

result<ws_upgrade> allow_upgrade(http_request request, const backend& with) {
  if (!comes_from_allowed(request, with.settings.net.allowed_origins))
    return fail(errc::forbidden, "the origin is not allowed");
  if (!has_proper_key(request))
    return fail(errc::invalid_input, "Sec-WebSocket-Key must be 16 bytes in base64");
  const auto parameters = wire::decode_query(request.query);
  if (!parameters)
    return std::unexpected{parameters.error()};
  const auto parameter = [&](std::string_view name) -> std::optional<std::string_view> {
    for (const auto& [key, value] : *parameters)
      if (key == name)
        return value;
    return {};
  };
  const auto version = wire::parse_vsn(parameter("vsn"));
  if (!version)
    return fail(errc::forbidden, "unknown vsn");
  auto who = identify(request, parameter("apikey"), with);
  if (!who)
    return std::unexpected{std::move(who.error())};
  return ws_upgrade{std::move(request), std::move(*who), *version};
}

} // namespace jessica::net
