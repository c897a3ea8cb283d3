#include "net/rest_request.hpp"

#include "domain/utf8.hpp"
#include "wire/json_writer.hpp"
#include "wire/rest_body.hpp"
#include "wire/rest_prefer.hpp"
#include "wire/rest_query.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <optional>
#include <utility>
#include <vector>

namespace jessica::net {

namespace {

[[nodiscard]] std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t'))
    text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t'))
    text.remove_suffix(1);
  return text;
}

struct accepted_type {
  result_shape as = result_shape::array;
  bool strip_nulls = false;
};

/// One alternative of an Accept header, e.g. "application/json;q=0.9".
[[nodiscard]] std::optional<accepted_type> type_of(std::string_view alternative) {
  const auto type = trimmed(alternative.substr(0, alternative.find(';')));
  const auto strip = alternative.contains("nulls=stripped");
  constexpr auto arrays = std::to_array<std::string_view>(
      {"*/*", "application/*", "application/json", "application/vnd.pgrst.array+json",
       "application/vnd.pgrst.array"});
  if (std::ranges::contains(arrays, type))
    return accepted_type{result_shape::array, strip};
  if (type == "application/vnd.pgrst.object+json" ||
      type == "application/vnd.pgrst.object")
    return accepted_type{result_shape::object, strip};
  if (type == "text/csv")
    return accepted_type{result_shape::csv, false};
  return std::nullopt;
}

/// The first alternative that we have; an empty header takes anything.
[[nodiscard]] std::optional<accepted_type> accepted(std::string_view header) {
  if (trimmed(header).empty())
    return accepted_type{};
  for (;;) {
    const auto comma = header.find(',');
    if (const auto found = type_of(header.substr(0, comma)))
      return found;
    if (comma == std::string_view::npos)
      return std::nullopt;
    header.remove_prefix(comma + 1);
  }
}

[[nodiscard]] bool is_text(std::string_view bytes) {
  // Nearly all headers are plain ASCII, and a token is hundreds of bytes.
  const auto odd = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0 || byte >= 0x80;
  };
  bytes.remove_prefix(
      static_cast<std::size_t>(std::ranges::find_if(bytes, odd) - bytes.begin()));
  while (!bytes.empty()) {
    const auto next = first_code_point(bytes);
    if (!next.valid || next.value == 0)
      return false;
    bytes.remove_prefix(next.size);
  }
  return true;
}

void put(std::string& object, std::string_view key, std::string_view value) {
  if (!is_text(key) || !is_text(value))
    return; // no JSON can hold it
  object += object.size() > 1 ? "," : "";
  wire::append_quoted(object, key);
  object += ':';
  wire::append_quoted(object, value);
}

/// The headers as functions read them; of several with one name the first.
[[nodiscard]] std::string headers_json(const header_list& headers) {
  auto object = std::string{"{"};
  for (auto at = headers.begin(); at != headers.end(); ++at) {
    const auto before = std::ranges::find(headers.begin(), at, at->first,
                                          [](const auto& one) { return one.first; });
    if (at->first != "cookie" && before == at)
      put(object, at->first, at->second);
  }
  return object + "}";
}

[[nodiscard]] std::string cookies_json(std::string_view header) {
  auto object = std::string{"{"};
  while (!header.empty()) {
    const auto end = std::min(header.find(';'), header.size());
    const auto pair = trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    if (const auto equals = pair.find('='); equals != std::string_view::npos)
      put(object, pair.substr(0, equals), pair.substr(equals + 1));
  }
  return object + "}";
}

[[nodiscard]] result<void> check_schema(const http_request& asked, bool read_only) {
  const auto schema = asked.header(read_only ? "accept-profile" : "content-profile");
  if (schema.empty() || schema == exposed_schema)
    return {};
  return std::unexpected{
      dialect_error("PGRST106", std::format("Invalid schema: {}", schema), {},
                    "Only the following schemas are exposed: public")};
}

[[nodiscard]] result<void> check_preferences(const preferences& asked) {
  if (!asked.strict.value_or(false) || asked.unknown.empty())
    return {};
  auto list = std::string{};
  for (const auto& one : asked.unknown)
    list += (list.empty() ? "" : ", ") + one;
  return std::unexpected{dialect_error("PGRST122",
                                       "Invalid preferences given with handling=strict",
                                       "Invalid preferences: " + list)};
}

[[nodiscard]] bool takes_body(const rest_request& what) {
  return !what.read_only && what.action != rest_action::remove;
}

[[nodiscard]] result<json_body> body_of(const http_request& asked, rest_action action) {
  const auto type = asked.header("content-type");
  const auto media = trimmed(type.substr(0, type.find(';')));
  if (!media.empty() && media != "application/json" &&
      media != "application/vnd.pgrst.object+json" &&
      media != "application/vnd.pgrst.array+json")
    return std::unexpected{dialect_error(
        "PGRST102", std::format("Content-Type not acceptable: {}", media))};
  const auto empty = trimmed(asked.body).empty();
  return wire::read_body(empty && action == rest_action::call ? "{}" : asked.body);
}

[[nodiscard]] result<void> read_url(rest_request& into, const http_request& asked) {
  const auto parameters = wire::decode_query(without_key(asked.query));
  if (!parameters)
    return std::unexpected{parameters.error()};
  auto read =
      wire::read_query(*parameters, into.action == rest_action::call && into.read_only);
  if (!read)
    return std::unexpected{std::move(read.error())};
  into.what = std::move(read->what);
  into.columns = std::move(read->columns);
  into.on_conflict = std::move(read->on_conflict);
  into.arguments = std::move(read->arguments);
  if (into.read_only && asked.has("range"))
    return wire::narrow(into.what, asked.header("range"));
  return {};
}

[[nodiscard]] error no_such_type(const http_request& asked) {
  return dialect_error("PGRST107",
                       std::format("None of these media types are available: {}",
                                   asked.header("accept")));
}

} // namespace

std::string without_key(std::string_view query) {
  auto kept = std::string{};
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.starts_with("apikey=") || part.empty())
      continue;
    kept += kept.empty() ? "" : "&";
    kept += part;
  }
  return kept;
}

error dialect_error(std::string code, std::string message, std::string details,
                    std::string hint) {
  auto fault = sql_fault{std::move(code), std::move(message), std::move(details),
                         std::move(hint)};
  return {errc::invalid_input, fault.message, fault.sqlstate,
          std::make_shared<const sql_fault>(fault)};
}

result<std::shared_ptr<const rest_request>> rest_request_of(const http_request& asked,
                                                            identity who,
                                                            rest_action action,
                                                            std::string target) {
  auto made = std::make_shared<rest_request>();
  made->who = std::move(who);
  made->action = action;
  made->target = std::move(target);
  made->head = asked.method == "HEAD";
  made->read_only = made->head || asked.method == "GET";
  made->prefer = wire::read_prefer(asked.header("prefer"));
  const auto type = accepted(asked.header("accept"));
  if (!type)
    return std::unexpected{no_such_type(asked)};
  made->as = type->as;
  made->strip_nulls = type->strip_nulls;
  auto fine = check_schema(asked, made->read_only);
  if (fine)
    fine = check_preferences(made->prefer);
  if (fine)
    fine = read_url(*made, asked);
  if (!fine)
    return std::unexpected{std::move(fine.error())};
  if (takes_body(*made)) {
    auto body = body_of(asked, action);
    if (!body)
      return std::unexpected{std::move(body.error())};
    made->body = std::move(*body);
  }
  // A call without a body to answer with is what `head` means for POST.
  if (action == rest_action::call && made->prefer.wish == result_wish::minimal)
    made->head = true;
  made->method = asked.method;
  made->path = asked.path.substr(std::string_view{"/rest/v1"}.size());
  made->headers = headers_json(asked.headers);
  made->cookies = cookies_json(asked.header("cookie"));
  return made;
}

result<std::shared_ptr<const rest_request>>
describe_request_of(const http_request& asked, identity who, std::string url) {
  const auto type = accepted(asked.header("accept"));
  const auto named = asked.header("accept").contains("application/openapi+json");
  if (!named && (!type || type->as != result_shape::array || type->strip_nulls))
    return std::unexpected{no_such_type(asked)};
  if (auto fine = check_schema(asked, true); !fine)
    return std::unexpected{std::move(fine.error())};
  auto made = std::make_shared<rest_request>();
  made->who = std::move(who);
  made->action = rest_action::describe;
  made->target = std::move(url);
  made->head = asked.method == "HEAD";
  made->read_only = true;
  made->method = asked.method;
  made->path = "/";
  made->headers = headers_json(asked.headers);
  made->cookies = cookies_json(asked.header("cookie"));
  return made;
}

} // namespace jessica::net
