// The functions of /functions/v1 as an OpenAPI 3 document.
#pragma once

#include "config/settings.hpp"

#include <span>
#include <string>
#include <string_view>

namespace jessica::net {

struct described_field {
  std::string_view name;
  std::string_view schema;  ///< JSON Schema
  std::string_view example; ///< JSON
  bool required = false;
  bool choice = false; ///< exactly one of those that are is given
};

struct described_function {
  std::string_view method; ///< in small letters
  std::string_view name;
  std::string_view summary;
  bool service = false;                   ///< for the service role alone
  std::span<const described_field> takes; ///< of the JSON body; empty: none is read
  std::string_view status;
  std::string_view gives; ///< JSON Schema of the body
};

[[nodiscard]] std::span<const described_function> described_functions();

[[nodiscard]] std::string functions_openapi(const config::settings& settings);

} // namespace jessica::net
