// Letters on their way: stored with their codes, taken by one node at a time, tried
// again with a growing pause, and settled once.
#pragma once

#include "domain/error.hpp"
#include "domain/letter.hpp"
#include "storage/connection.hpp"
#include "storage/mail_rules.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace jessica::storage {

/// Stores a letter; worth sending as long as its code is good. Role: accounts, as all.
[[nodiscard]] statement put_letter(const mail_rules& rules, const letter& what);

struct due_letter {
  std::int64_t id = 0;
  std::string recipient;
  std::string kind;
  std::int64_t attempt = 1;
  bool expired = false;          ///< its code is: do not send it any more
  std::optional<letter> content; ///< nullopt: sealed with another key
};

/// The letter that has waited longest, for this node alone during `lease`; nullopt:
/// none is due.
[[nodiscard]] result<std::optional<due_letter>>
take_letter(connection& db, const mail_rules& rules, std::chrono::seconds lease);

/// Sent, or given up; its content is forgotten.
[[nodiscard]] result<void> settle_letter(connection& db, std::int64_t id, bool sent);
/// Not sent: due again after `pause`.
[[nodiscard]] result<void> put_back_letter(connection& db, std::int64_t id,
                                           std::chrono::milliseconds pause);

} // namespace jessica::storage
