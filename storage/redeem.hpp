// Taking codes and links back: each is worth something once.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/one_time.hpp"
#include "storage/connection.hpp"
#include "storage/mail_rules.hpp"

#include <optional>
#include <string>

namespace jessica::storage {

/// What a good code gives; neither member: the first of an e-mail change's two
/// confirmations.
struct redemption {
  std::optional<session_grant> session;
  std::string auth_code; ///< of a link that an app waits for: to be exchanged by it
};

/// Confirms what the code or token stands for and opens a session, or for a link of a
/// PKCE flow (`by_link`) makes its code. A wrong code is counted before it is compared,
/// so that guesses at once are worth no more than one after another. Fails: forbidden
/// with otp_expired (unknown, wrong, spent or too old: nothing tells which) or
/// user_banned; conflict with email_exists; invalid_input with flow_state_not_found.
[[nodiscard]] result<redemption> redeem(connection& db, const mail_rules& rules,
                                        const presented_code& what, bool by_link,
                                        const client_origin& from);

/// Spends the code of a reauthentication. Fails: invalid_input with reason
/// reauthentication_not_valid.
[[nodiscard]] result<void> spend_nonce(connection& db, const mail_rules& rules,
                                       user_id user, std::string_view nonce);

} // namespace jessica::storage
