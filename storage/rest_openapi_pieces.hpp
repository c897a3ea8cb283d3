// Parts of the OpenAPI document: JSON, types, tables. Private to this room.
#pragma once

#include "storage/rest_fault.hpp"
#include "storage/rest_schema.hpp"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {

/// Text between braces or brackets, commas in between.
class json_list {
public:
  explicit json_list(char open) : text_(1, open) {}

  json_list& add(std::string_view json) {
    text_.append(text_.size() > 1 ? "," : "").append(json);
    return *this;
  }
  json_list& add(std::string_view key, std::string_view json) {
    return add(json_text(key).append(":").append(json));
  }
  json_list& text(std::string_view key, std::string_view value) {
    return add(key, json_text(value));
  }
  [[nodiscard]] std::string done() {
    text_ += text_.front() == '{' ? '}' : ']';
    return std::move(text_);
  }

private:
  std::string text_;
};

[[nodiscard]] inline json_list object() {
  return json_list{'{'};
}

/// An array of strings.
[[nodiscard]] std::string text_list(std::span<const std::string_view> of);
[[nodiscard]] std::string text_list(const std::vector<std::string>& of);
[[nodiscard]] std::string text_list(std::initializer_list<std::string_view> of);

/// {"$ref": ...} to something named in the document.
[[nodiscard]] std::string reference(std::string_view kind, std::string_view name);

/// JSON Schema's word for a type; nothing for json, which may be anything.
[[nodiscard]] std::string_view json_type(std::string_view type);
/// "type", "items" and "format".
void put_type(json_list& to, std::string_view type);

/// A table's rows as JSON Schema.
[[nodiscard]] std::string definition_of(const rest_schema& schema,
                                        const schema_table& table);

/// Responses: one status.
[[nodiscard]] std::string answers(std::string_view status, std::string_view phrase);

} // namespace jessica::storage
