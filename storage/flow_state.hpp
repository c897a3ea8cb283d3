// PKCE: a sign-in that an app began, a link continues in a browser, and the app ends
// with the verifier that only it has.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/one_time.hpp"
#include "storage/connection.hpp"
#include "storage/mail_rules.hpp"

#include <string>
#include <string_view>

namespace jessica::storage {

[[nodiscard]] statement begin_flow(std::string id, user_id user,
                                   const pkce_challenge& challenge,
                                   std::string_view method);

/// Gives a flow its code, of which only the hash is stored; a row when the flow is
/// there.
[[nodiscard]] statement continue_flow(std::string_view id, std::string_view auth_code);

/// The session for a code and its verifier, once. Fails: not_found with reason
/// flow_state_not_found; invalid_input with flow_state_expired or bad_code_verifier;
/// forbidden with user_banned.
[[nodiscard]] result<session_grant>
exchange_code(connection& db, const mail_rules& rules, std::string_view auth_code,
              std::string_view verifier, const client_origin& from);

} // namespace jessica::storage
