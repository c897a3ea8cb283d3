// Filters of changes in tables: what a column holds, what a client asks, what follows.
#pragma once

#include "wire/change_filter.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::test {

enum class outcome : std::uint8_t { yes, no };
using enum outcome;

struct matched {
  std::string_view type;
  std::string_view filter; ///< what follows "c="
  std::optional<std::string_view> field;
  outcome expected;
};

struct refused {
  std::string_view type;
  std::string_view filter; ///< the whole of it, about column c
  std::string_view why;
};

[[nodiscard]] inline std::vector<wire::change_column>
one_column(std::string_view type) {
  return {{"c", std::string{type}, false}};
}

[[nodiscard]] inline wire::change_cell cell_of(std::optional<std::string_view> field) {
  return field ? wire::change_cell{wire::change_cell::kind::text, *field}
               : wire::change_cell{wire::change_cell::kind::null, {}};
}

[[nodiscard]] inline bool matches(std::string_view type, std::string_view filter,
                                  const wire::change_cell& field) {
  const auto read =
      wire::change_filter::parse("c=" + std::string{filter}, one_column(type));
  if (!read)
    FAIL(filter << ": " << read.error().what);
  return read->matches(std::array{field});
}

inline void check_all(std::span<const matched> cases) {
  for (const auto& [type, filter, field, expected] : cases) {
    CAPTURE(type);
    CAPTURE(filter);
    CAPTURE(field.value_or("(null)"));
    CHECK(matches(type, filter, cell_of(field)) == (expected == yes));
  }
}

inline void check_refused(std::span<const refused> cases) {
  for (const auto& [type, filter, why] : cases) {
    CAPTURE(type);
    CAPTURE(filter);
    const auto read = wire::change_filter::parse(filter, one_column(type));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::invalid_input);
    CHECK(read.error().what == why);
  }
}

inline constexpr auto null = std::optional<std::string_view>{};

} // namespace jessica::test
