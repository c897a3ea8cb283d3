// Calls that answer with an e-mail. What nobody may learn (does an address have an
// account?) neither the answer tells nor, within a commit's length, its time. Role:
// accounts.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/one_time.hpp"
#include "storage/accounts.hpp"
#include "storage/connection.hpp"
#include "storage/mail_rules.hpp"
#include "storage/one_time_codes.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

// All fail with over_email_send_rate_limit when the address was written to a moment
// ago, or the hour's mails are used up.

struct pending_sign_up {
  account user;
  bool taken = false; ///< the address is a confirmed account's: `user` is made up
};
/// An account that waits for its confirmation, and the mail. One that waits already
/// gets another mail and keeps its password and data.
[[nodiscard]] result<pending_sign_up> sign_up_by_mail(connection& db,
                                                      const mail_rules& rules,
                                                      const new_account& what,
                                                      const link_plan& plan);

struct sign_in_wish {
  std::string email;       ///< validated, lower case
  std::string data = "{}"; ///< for a new account
  bool create = true;
};
/// A magic link; for an account that waits for its confirmation that. Fails: forbidden
/// with otp_disabled (unknown, and not to be created) or signup_disabled.
[[nodiscard]] result<void> request_sign_in(connection& db, const mail_rules& rules,
                                           const sign_in_wish& what,
                                           const link_plan& plan);

/// Works alike for addresses nobody has, and so does resend.
[[nodiscard]] result<void> request_recovery(connection& db, const mail_rules& rules,
                                            std::string_view email,
                                            const link_plan& plan);

/// Once more the mail of a sign-up or, `change`, of an e-mail change.
[[nodiscard]] result<void> resend(connection& db, const mail_rules& rules,
                                  std::string_view email, bool change,
                                  const link_plan& plan);

/// Fails: conflict with email_exists (a confirmed account).
[[nodiscard]] result<account> invite(connection& db, const mail_rules& rules,
                                     std::string_view email, const std::string& data,
                                     const link_plan& plan);

/// A code before the password is changed. Fails like find_user, and: invalid_input
/// with validation_failed (no address) or email_unconfirmed.
[[nodiscard]] result<void> request_reauthentication(connection& db,
                                                    const mail_rules& rules,
                                                    user_id user,
                                                    auth_session_id session);

/// The letters of an e-mail change: to the new address and, when both must confirm, to
/// the current one.
[[nodiscard]] std::vector<issue> change_letters(const mail_rules& rules, user_id user,
                                                std::string_view current,
                                                std::string_view new_email);

} // namespace jessica::storage
