#include "wire/auth_fields.hpp"

#include "wire/json_reader.hpp"

#include <format>
#include <utility>

namespace jessica::wire {

result<boost::json::object> read_auth_body(std::string_view body) {
  if (body.empty())
    return fail(errc::invalid_input, "unexpected end of JSON input", "bad_json");
  return parse_object(body);
}

result<std::string> text_or_empty(const boost::json::object& body,
                                  std::string_view field) {
  auto found = json_reader{body}.text(field);
  if (!found)
    return std::unexpected{std::move(found.error())};
  return std::move(*found).value_or(std::string{});
}

result<std::string> read_metadata(const boost::json::object& body,
                                  std::string_view field) {
  auto data = json_reader{body}.object_text(field);
  if (data && data->size() > max_metadata_bytes)
    return fail(errc::invalid_input,
                std::format("{} must be at most {} bytes", field, max_metadata_bytes),
                "validation_failed");
  return data;
}

result<void> read_texts(const boost::json::object& body,
                        std::initializer_list<text_field> fields) {
  for (const auto& [name, into] : fields) {
    auto text = text_or_empty(body, name);
    if (!text)
      return std::unexpected{std::move(text.error())};
    *into = std::move(*text);
  }
  return {};
}

} // namespace jessica::wire
