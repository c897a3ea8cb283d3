#include "net/rest_response.hpp"

#include "net/gate.hpp"
#include "net/rest_request.hpp"
#include "wire/rest_prefer.hpp"
#include "wire/rest_query.hpp"
#include "wire/rest_settings.hpp"

#include <algorithm>
#include <cctype>
#include <format>
#include <utility>

namespace jessica::net {

namespace {

[[nodiscard]] constexpr std::string_view media_type(const rest_request& what) {
  switch (what.as) {
  case result_shape::array:
    break;
  case result_shape::object:
    return what.strip_nulls
               ? "application/vnd.pgrst.object+json;nulls=stripped; charset=utf-8"
               : "application/vnd.pgrst.object+json; charset=utf-8";
  case result_shape::csv:
    return "text/csv; charset=utf-8";
  }
  return what.strip_nulls
             ? "application/vnd.pgrst.array+json;nulls=stripped; charset=utf-8"
             : "application/json; charset=utf-8";
}

[[nodiscard]] std::string percent_encoded(std::string_view text) {
  auto made = std::string{};
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view{"-_.~"}.contains(c))
      made += c;
    else
      made += std::format("%{:02X}", static_cast<unsigned>(byte));
  }
  return made;
}

/// Of one new row, by its key.
[[nodiscard]] std::string location_of(const rest_request& what,
                                      const rest_reply& reply) {
  auto parameters = std::string{};
  for (const auto& [column, value] : reply.key)
    parameters += (parameters.empty() ? "?" : "&") + percent_encoded(column) + "=eq." +
                  percent_encoded(value);
  return "/" + percent_encoded(what.target) + parameters;
}

/// Did an upsert find all its rows there already?
[[nodiscard]] bool only_updated(const rest_request& what, const rest_reply& reply) {
  return what.prefer.duplicates == on_duplicate::merge && reply.rows <= reply.updated;
}

[[nodiscard]] int status_of(const rest_request& what, const rest_reply& reply) {
  switch (what.action) {
  case rest_action::insert:
    return only_updated(what, reply) ? 200 : 201;
  case rest_action::update:
  case rest_action::remove:
    return what.prefer.wants_rows() ? 200 : 204;
  case rest_action::call:
    if (reply.nothing)
      return 204;
    break;
  case rest_action::read:
  case rest_action::describe:
    break;
  }
  return reply.total && reply.rows < *reply.total ? 206 : 200;
}

[[nodiscard]] std::string range_of(const rest_request& what, const rest_reply& reply) {
  switch (what.action) {
  case rest_action::insert:
  case rest_action::remove:
    return wire::content_range(0, 0, reply.total);
  case rest_action::update:
    return wire::content_range(0, reply.rows, reply.total);
  case rest_action::read:
  case rest_action::call:
  case rest_action::describe:
    break;
  }
  return wire::content_range(what.what.offset, reply.rows, reply.total);
}

[[nodiscard]] http_response beyond_the_end(const http_request& asked,
                                           const rest_request& what,
                                           std::int64_t total) {
  auto answer = refuse(
      dialect_error(
          "PGRST103", "Requested range not satisfiable",
          std::format("An offset of {} was requested, but there are only {} rows.",
                      what.what.offset, total)),
      asked, true);
  answer.headers.emplace_back("Content-Range", std::format("*/{}", total));
  return answer;
}

[[nodiscard]] bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

/// What a function set wins over what we would say. Cookies add up.
void add_own_headers(header_list& to, header_list own) {
  for (auto& [name, value] : own) {
    if (!same_name(name, "set-cookie"))
      std::erase_if(to, [&](const auto& one) { return same_name(one.first, name); });
    to.emplace_back(std::move(name), std::move(value));
  }
}

[[nodiscard]] header_list headers_of(const http_request& asked,
                                     const rest_request& what,
                                     const rest_reply& reply) {
  auto headers = header_list{{"Content-Range", range_of(what, reply)},
                             {"Content-Profile", std::string{exposed_schema}},
                             {"Vary", "Accept, Prefer, Range"}};
  const auto rows = what.action == rest_action::read ||
                    what.action == rest_action::call || what.prefer.wants_rows();
  if (rows && !reply.nothing)
    headers.emplace_back("Content-Type", media_type(what));
  if (what.read_only) {
    const auto parameters = without_key(asked.query);
    const auto from = what.action == rest_action::call ? "/rpc" : std::string{};
    headers.emplace_back("Content-Location",
                         from + asked.path.substr(asked.path.rfind('/')) +
                             (parameters.empty() ? "" : "?" + parameters));
  }
  if (!reply.key.empty())
    headers.emplace_back("Location", location_of(what, reply));
  if (auto applied = wire::preference_applied(what.prefer, what.action);
      !applied.empty())
    headers.emplace_back("Preference-Applied", std::move(applied));
  return headers;
}

} // namespace

http_response rest_response(const http_request& asked, const rest_request& what,
                            rest_reply reply) {
  const auto reads =
      what.action == rest_action::read || what.action == rest_action::call;
  if (reads && reply.total && what.what.offset > *reply.total)
    return beyond_the_end(asked, what, *reply.total);
  const auto status = wire::read_response_status(reply.status, status_of(what, reply));
  if (!status)
    return refuse(status.error(), asked, true);
  auto own = wire::read_response_headers(reply.headers);
  if (!own)
    return refuse(own.error(), asked, true);
  auto answer = http_response{*status, headers_of(asked, what, reply), {}};
  add_own_headers(answer.headers, std::move(*own));
  answer.body = std::move(reply.body);
  return answer;
}

} // namespace jessica::net
