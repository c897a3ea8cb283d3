#include "wire/rest_settings.hpp"

#include "wire/json_reader.hpp"

#include <charconv>

namespace jessica::wire {

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
    if (!member.value().is_string())
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
