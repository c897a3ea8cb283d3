// The interface of ACCOUNTS and its messages.
#pragma once

#include "actors/messages.hpp"
#include "domain/account.hpp"
#include "domain/account_fields.hpp"
#include "domain/identity.hpp"
#include "storage/account_change.hpp"
#include "storage/accounts.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <string>

namespace jessica::actors {

struct sign_up {
  storage::new_account what;
  client_origin from;
};
struct sign_in {
  std::string email;
  std::string password;
  client_origin from;
};
struct refresh_session {
  std::string refresh_token;
  client_origin from;
};
struct find_user {
  user_id user;
  auth_session_id session;
};
struct sign_out {
  user_id user;
  auth_session_id session;
  storage::logout_scope scope = storage::logout_scope::global;
};
struct change_user {
  user_id user;
  auth_session_id session;
  storage::account_change change;
};
// Of administrators.
struct create_account {
  account_fields fields;
};
struct list_accounts {
  page_request which;
};
struct find_account {
  user_id user;
};
struct change_account {
  user_id user;
  account_fields fields;
};
struct delete_account {
  user_id user;
  bool softly = false;
};

/// ACCOUNTS takes all auth calls and sends the slow ones (password hashing) and the
/// quick ones down two lanes, each a bounded POOL of ACCOUNT WORKERs.
using accounts_actor =
    caf::typed_actor<caf::replies_to<sign_up>::with<session_grant>,
                     caf::replies_to<sign_in>::with<session_grant>,
                     caf::replies_to<refresh_session>::with<session_grant>,
                     caf::replies_to<find_user>::with<account>,
                     caf::replies_to<sign_out>::with<done>,
                     caf::replies_to<change_user>::with<account>,
                     caf::replies_to<create_account>::with<account>,
                     caf::replies_to<list_accounts>::with<account_page>,
                     caf::replies_to<find_account>::with<account>,
                     caf::replies_to<change_account>::with<account>,
                     caf::replies_to<delete_account>::with<done>>;

/// ACCOUNT WORKER owns one auth connection and may hash. Detached, in a POOL.
using account_worker_actor =
    accounts_actor::extend<caf::replies_to<are_you_free>::with<done>>;

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::account)
JESSICA_LOCAL_MESSAGE(jessica::session_grant)
JESSICA_LOCAL_MESSAGE(jessica::actors::sign_up)
JESSICA_LOCAL_MESSAGE(jessica::actors::sign_in)
JESSICA_LOCAL_MESSAGE(jessica::actors::refresh_session)
JESSICA_LOCAL_MESSAGE(jessica::actors::find_user)
JESSICA_LOCAL_MESSAGE(jessica::actors::sign_out)
JESSICA_LOCAL_MESSAGE(jessica::actors::change_user)
JESSICA_LOCAL_MESSAGE(jessica::account_page)
JESSICA_LOCAL_MESSAGE(jessica::actors::create_account)
JESSICA_LOCAL_MESSAGE(jessica::actors::list_accounts)
JESSICA_LOCAL_MESSAGE(jessica::actors::find_account)
JESSICA_LOCAL_MESSAGE(jessica::actors::change_account)
JESSICA_LOCAL_MESSAGE(jessica::actors::delete_account)
#undef JESSICA_LOCAL_MESSAGE
