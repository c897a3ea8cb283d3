// What mailing goes by: limits, the server's keys, and how often an address is written
// to.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "storage/connection.hpp"
#include "storage/one_time_secret.hpp"

#include <string_view>

namespace jessica::storage {

struct mail_rules {
  config::auth_settings auth;
  config::mail_settings mail;
  code_key key;
};

/// Calls that need no session share a reason: from when they are refused nobody shall
/// learn who has an account.
namespace mail_reason {
inline constexpr auto asked_by_anybody = std::string_view{"anybody"};
inline constexpr auto email_change = std::string_view{"email_change"};
/// An operator's: not bound to a pause.
inline constexpr auto invite = std::string_view{"invite"};
inline constexpr auto reauthentication = std::string_view{"reauthentication"};
} // namespace mail_reason

/// Counts a mail that is about to be issued, or would be if the address were known.
/// Fails: overloaded, reason over_email_send_rate_limit, with the client's message.
[[nodiscard]] result<void> claim_mail(connection& db, const mail_rules& rules,
                                      std::string_view address,
                                      std::string_view reason);

/// A commit as long as that of a letter: an unknown address must not answer faster.
[[nodiscard]] result<void> waste_commit(connection& db, std::string_view address);

/// The address has proven itself: its next mail need not wait.
[[nodiscard]] statement forget_mail_times(std::string_view address);

/// Drops codes, flows and times that are past their use, and letters long settled.
[[nodiscard]] result<void> sweep_mail(connection& db, const mail_rules& rules);

} // namespace jessica::storage
