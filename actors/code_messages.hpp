// The interfaces of CODES and MAILER, and their messages: what is asked for by e-mail,
// what comes back from one, and that one waits to be sent.
#pragma once

#include "actors/account_messages.hpp"
#include "domain/account.hpp"
#include "domain/one_time.hpp"
#include "storage/mail_requests.hpp"
#include "storage/redeem.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace jessica::actors {

/// A letter was stored: MAILER need not wait for its next look.
struct mail_waits {};
/// MAILER to itself.
struct look_for_mail {};

struct request_sign_in {
  storage::sign_in_wish what;
  link_plan plan;
};
struct request_recovery {
  std::string email;
  link_plan plan;
};
struct resend_mail {
  std::string email;
  bool change = false; ///< of an e-mail change, else of a sign-up
  link_plan plan;
};
struct invite_user {
  std::string email;
  std::string data = "{}";
  link_plan plan;
};
struct reauthenticate {
  user_id user;
  auth_session_id session;
};
struct redeem_code {
  presented_code what;
  bool by_link = false;
  client_origin from;
};
/// The end of a PKCE flow.
struct exchange_code {
  std::string auth_code;
  std::string verifier;
  client_origin from;
};

/// MAILER sends what the outbox holds, one letter after the other. Detached.
using mailer_actor =
    caf::typed_actor<caf::reacts_to<mail_waits>, caf::reacts_to<look_for_mail>>;

/// CODES: a bounded POOL of CODE WORKERs, each with an auth connection of its own. Not
/// there without a mail mode. Detached.
using codes_actor =
    caf::typed_actor<caf::replies_to<request_sign_in>::with<done>,
                     caf::replies_to<request_recovery>::with<done>,
                     caf::replies_to<resend_mail>::with<done>,
                     caf::replies_to<invite_user>::with<account>,
                     caf::replies_to<reauthenticate>::with<done>,
                     caf::replies_to<redeem_code>::with<storage::redemption>,
                     caf::replies_to<exchange_code>::with<session_grant>,
                     caf::replies_to<are_you_free>::with<done>>;

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::storage::redemption)
JESSICA_LOCAL_MESSAGE(jessica::actors::mail_waits)
JESSICA_LOCAL_MESSAGE(jessica::actors::look_for_mail)
JESSICA_LOCAL_MESSAGE(jessica::actors::request_sign_in)
JESSICA_LOCAL_MESSAGE(jessica::actors::request_recovery)
JESSICA_LOCAL_MESSAGE(jessica::actors::resend_mail)
JESSICA_LOCAL_MESSAGE(jessica::actors::invite_user)
JESSICA_LOCAL_MESSAGE(jessica::actors::reauthenticate)
JESSICA_LOCAL_MESSAGE(jessica::actors::redeem_code)
JESSICA_LOCAL_MESSAGE(jessica::actors::exchange_code)
#undef JESSICA_LOCAL_MESSAGE
