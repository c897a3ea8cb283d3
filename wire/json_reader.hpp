// Typed access to a client's JSON; an error names the path of the bad field.
#pragma once

#include "domain/error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

/// How deep a client's arrays and objects may nest.
inline constexpr auto max_json_depth = std::size_t{32};

/// Parses a whole document: UTF-8 checked, depth at most 32, numbers kept exact where
/// they fit. Fails: invalid_input, reason `bad_json`.
[[nodiscard]] result<boost::json::value>
parse_json(std::string_view text, boost::json::storage_ptr memory = {});

/// Parses a document that must be an object; an empty text counts as {}.
[[nodiscard]] result<boost::json::object>
parse_object(std::string_view text, boost::json::storage_ptr memory = {});

/// The same checks as parse_json, without building the document.
[[nodiscard]] bool valid_json(std::string_view text);

/// Reads fields of one object; null counts as absent. Keeps a reference to the object.
/// Fails: invalid_input, reason `validation_failed`. A string with a NUL character is
/// refused: PostgreSQL cannot store it.
class json_reader {
public:
  explicit json_reader(const boost::json::object& object, std::string path = {});

  [[nodiscard]] result<std::optional<std::string>> text(std::string_view field) const;
  [[nodiscard]] result<std::string> required_text(std::string_view field) const;
  /// A nested object as JSON text that a jsonb column takes; absent: "{}".
  [[nodiscard]] result<std::string> object_text(std::string_view field) const;
  /// Booleans, also as the strings "true" and "false".
  [[nodiscard]] result<bool> flag(std::string_view field, bool fallback) const;
  /// Whole numbers, also written as 1.0 or 1e3.
  [[nodiscard]] result<std::optional<std::int64_t>>
  integer(std::string_view field) const;
  /// The nested object or nullptr when absent.
  [[nodiscard]] result<const boost::json::object*> object(std::string_view field) const;

private:
  [[nodiscard]] const boost::json::value* find(std::string_view field) const;
  [[nodiscard]] std::unexpected<error> refuse(std::string_view field,
                                              std::string_view why) const;

  const boost::json::object& object_;
  std::string path_;
};

/// A whole number of any JSON spelling (5, 5.0, 5e0); nullopt for other values and
/// beyond 2^53 either way, where a double is no longer exact.
[[nodiscard]] std::optional<std::int64_t> whole_number(const boost::json::value& value);

} // namespace jessica::wire
