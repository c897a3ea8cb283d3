// What a password must be like before an account takes it. Bytes count as they come:
// nothing is normalised, cut or trimmed.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica {

struct password_policy {
  std::size_t min_characters = 6; ///< code points of UTF-8
  std::size_t max_bytes = 72;
  /// Sets of characters between ':' ("\:" is a colon): one of each is needed.
  std::string required{};
  bool refuse_known = false; ///< those that everybody tries first
};

/// Why a password is weak, for people and for programs.
struct password_weakness {
  std::string message;
  std::vector<std::string_view> reasons; ///< "length", "characters", "pwned"
};

/// nullopt: good enough. Does not look at max_bytes.
[[nodiscard]] std::optional<password_weakness> weakness_of(std::string_view password,
                                                           const password_policy& by);

/// Fails: invalid_input, reason `validation_failed` (too long) or `weak_password:` and
/// the weakness's reasons between commas.
[[nodiscard]] result<void> check_password(std::string_view password,
                                          const password_policy& by);

/// Is it among the ten thousand most used? Upper and lower case count as the same.
[[nodiscard]] bool is_known_password(std::string_view password);

} // namespace jessica
