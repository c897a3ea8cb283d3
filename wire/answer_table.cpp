#include "wire/answer_table.hpp"

namespace jessica::wire {

const answer_row& answer_to(const error& what, std::span<const answer_row> rows) {
  for (const auto reason : {std::string_view{what.reason}, std::string_view{}})
    for (const auto& row : rows)
      if (row.reason == reason && (!row.only_for || *row.only_for == what.code))
        return row;
  return rows.back();
}

} // namespace jessica::wire
