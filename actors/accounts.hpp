// ACCOUNTS and its workers: password hashing is kept apart from the quick calls, so
// that a crowd signing in cannot hold up sessions that refresh.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/mail_desk.hpp"
#include "config/settings.hpp"
#include "storage/connection.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>

namespace jessica::actors {

struct accounts_state {
  accounts_state() = default; // an aggregate would be built from CAF's self pointer
  account_worker_actor slow;  ///< POOL: what hashes a password
  account_worker_actor quick; ///< POOL: all the rest

  [[nodiscard]] const account_worker_actor& lane(bool hashes) const noexcept {
    return hashes ? slow : quick;
  }
};

accounts_actor::behavior_type
accounts(accounts_actor::stateful_pointer<accounts_state> self,
         account_worker_actor slow, account_worker_actor quick);

struct account_worker_state {
  config::auth_settings limits;
  std::unique_ptr<storage::connection> db;
  mail_desk_ptr desk; ///< null without a mail mode
};

account_worker_actor::behavior_type
account_worker(account_worker_actor::stateful_pointer<account_worker_state> self,
               storage::endpoint database, config::auth_settings limits,
               mail_desk_ptr desk);

/// The same, for the lane that hashes: its thread gives way to all others, so that a
/// crowd signing in does not hold up streams.
account_worker_actor::behavior_type hashing_account_worker(
    account_worker_actor::stateful_pointer<account_worker_state> self,
    storage::endpoint database, config::auth_settings limits, mail_desk_ptr desk);

} // namespace jessica::actors
