#include "storage/account_row.hpp"

#include <optional>
#include <string>

namespace jessica::storage {
namespace {

[[nodiscard]] timestamp time_at(const rows& found, int row, int column) {
  return timestamp{std::chrono::microseconds{found.integer(row, column)}};
}

[[nodiscard]] std::optional<timestamp> maybe_time_at(const rows& found, int row,
                                                     int column) {
  return found.null(row, column) ? std::nullopt
                                 : std::optional{time_at(found, row, column)};
}

} // namespace

account read_account(const rows& found, int row) {
  return {.id = user_id::parse(found.text(row, 0)).value_or(user_id{}),
          .email = std::string{found.text(row, 1)},
          .role = std::string{found.text(row, 10)},
          .anonymous = found.text(row, 2) == "t",
          .app_metadata = std::string{found.text(row, 3)},
          .user_metadata = std::string{found.text(row, 4)},
          .email_confirmed_at = maybe_time_at(found, row, 5),
          .last_sign_in_at = maybe_time_at(found, row, 6),
          .banned_until = maybe_time_at(found, row, 7),
          .deleted_at = maybe_time_at(found, row, 11),
          .created_at = time_at(found, row, 8),
          .updated_at = time_at(found, row, 9)};
}

} // namespace jessica::storage
