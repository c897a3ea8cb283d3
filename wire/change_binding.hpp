// One entry of a join's postgres_changes list.
#pragma once

#include "domain/error.hpp"
#include "wire/change.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

struct change_binding {
  std::optional<change_type> event; ///< nullopt: all of them ("*")
  std::string schema = "public";
  std::optional<std::string> table; ///< nullopt: every table of the schema
  std::string filter;               ///< empty: every row
  std::vector<std::string> select;  ///< empty: every column
};

/// Fails: invalid_input with what the client shall read.
[[nodiscard]] result<change_binding> read_change_binding(std::string_view json);

/// How a refusal names a binding: "[event: INSERT, schema: public, ...]".
[[nodiscard]] std::string describe(const change_binding& what);

} // namespace jessica::wire
