// What the readers of /auth/v1's bodies share.
#pragma once

#include "domain/error.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Of user_metadata in one request: four thirds of it in base64 leave room for the
/// other claims of an 8 KiB token.
inline constexpr auto max_metadata_bytes = std::size_t{4096};

/// An object; an empty body is none. Fails: invalid_input, reason `bad_json`.
[[nodiscard]] result<boost::json::object> read_auth_body(std::string_view body);

/// A text field; absent and null are empty, as auth bodies mean it. Fails:
/// validation_failed.
[[nodiscard]] result<std::string> text_or_empty(const boost::json::object& body,
                                                std::string_view field);

/// An object field as jsonb takes it, absent "{}". Fails: validation_failed.
[[nodiscard]] result<std::string> read_metadata(const boost::json::object& body,
                                                std::string_view field);

/// Reads several text fields at once; the first bad one fails.
struct text_field {
  std::string_view name;
  std::string* into;
};
[[nodiscard]] result<void> read_texts(const boost::json::object& body,
                                      std::initializer_list<text_field> fields);

} // namespace jessica::wire
