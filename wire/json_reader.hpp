// Typed access to a client's JSON; an error names the path of the bad field.
#pragma once

#include "domain/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Parses a whole document: UTF-8 checked, depth at most 32, numbers kept exact where
/// they fit. Fails: invalid_input, reason `bad_json`.
[[nodiscard]] result<boost::json::value> parse_json(std::string_view text);

/// Parses a document that must be an object; an empty text counts as {}.
[[nodiscard]] result<boost::json::object> parse_object(std::string_view text);

/// Reads fields of one object; null counts as absent. Keeps a reference to the object.
class json_reader {
public:
  explicit json_reader(const boost::json::object& object, std::string path = {});

  [[nodiscard]] result<std::optional<std::string>> text(std::string_view field) const;
  [[nodiscard]] result<std::string> required_text(std::string_view field) const;
  /// A nested object as JSON text; absent: "{}".
  [[nodiscard]] result<std::string> object_text(std::string_view field) const;
  /// Booleans, also as the strings "true" and "false".
  [[nodiscard]] result<bool> flag(std::string_view field, bool fallback) const;
  [[nodiscard]] result<std::optional<std::int64_t>>
  integer(std::string_view field) const;
  /// The nested object or nullptr when absent.
  [[nodiscard]] result<const boost::json::object*> object(std::string_view field) const;

private:
  const boost::json::object& object_;
  std::string path_;
};

} // namespace jessica::wire
