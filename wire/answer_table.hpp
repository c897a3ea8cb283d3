// How the APIs' tables of answers are read: by an error's reason first, then by its
// code. The tables themselves stand with their API, in *_problem.cpp.
#pragma once

#include "domain/error.hpp"

#include <algorithm>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>

namespace jessica::wire {

struct answer_row {
  std::string_view reason; ///< empty: any that has no row of its own
  int status = 500;
  std::string_view code;
  std::string_view message;
  std::optional<errc> only_for = {}; ///< of rows without a reason, and where one reason
                                     ///< has two answers
};

/// The first row of its reason that fits, else the one of its code. The last row is
/// that of a bug.
[[nodiscard]] const answer_row& answer_to(const error& what,
                                          std::span<const answer_row> rows);

/// For a static_assert beside each table.
[[nodiscard]] consteval bool answers_every_code(std::span<const answer_row> rows) {
  constexpr auto first = static_cast<int>(errc::invalid_input);
  constexpr auto last = static_cast<int>(errc::internal);
  return rows.back().only_for == errc::internal &&
         std::ranges::all_of(std::views::iota(first, last + 1), [&](int code) {
           return std::ranges::any_of(rows, [&](const answer_row& row) {
             return row.reason.empty() && row.only_for == static_cast<errc>(code);
           });
         });
}

} // namespace jessica::wire
