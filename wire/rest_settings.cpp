#include "wire/rest_settings.hpp"

#include "wire/json_reader.hpp"

#include <algorithm>
#include <charconv>

namespace jessica::wire {
namespace {

/// RFC 9110: a token.
[[nodiscard]] bool is_header_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.contains(c);
  });
}

/// Nothing that could end the line and begin another header.
[[nodiscard]] bool is_header_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && c != '\t') || byte == 0x7f;
  });
}

} // namespace

result<std::vector<std::pair<std::string, std::string>>>
read_response_headers(std::string_view setting) {
  const auto broken =
      fail(errc::internal,
           "response.headers guc must be a JSON array composed of objects with a "
           "single key and a string value",
           "PGRST111");
  auto headers = std::vector<std::pair<std::string, std::string>>{};
  if (setting.empty())
    return headers;
  const auto read = parse_json(setting);
  if (!read || !read->is_array())
    return broken;
  for (const auto& item : read->get_array()) {
    if (!item.is_object() || item.get_object().size() != 1)
      return broken;
    const auto& member = *item.get_object().begin();
    if (!is_header_name(member.key()) || !member.value().is_string() ||
        !is_header_value(member.value().get_string()))
      return broken;
    headers.emplace_back(member.key(), member.value().get_string());
  }
  return headers;
}

result<int> read_response_status(std::string_view setting, int otherwise) {
  if (setting.empty())
    return otherwise;
  auto status = 0;
  const auto* end = setting.data() + setting.size();
  const auto read = std::from_chars(setting.data(), end, status);
  if (read.ptr != end || read.ec != std::errc{} || status < 200 || status > 599)
    return fail(errc::internal, "response.status guc must be a valid status code",
                "PGRST112");
  return status;
}

} // namespace jessica::wire
