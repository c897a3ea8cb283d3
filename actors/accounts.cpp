#include "actors/accounts.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/thread_priority.hpp"
#include "storage/account_admin.hpp"
#include "storage/foreign_users.hpp"

#include <utility>

namespace jessica::actors {
accounts_actor::behavior_type
accounts(accounts_actor::stateful_pointer<accounts_state> self,
         account_worker_actor slow, account_worker_actor quick) {
  guard(self, "ACCOUNTS");
  self->state.slow = std::move(slow);
  self->state.quick = std::move(quick);
  return {
      [self](sign_up& msg) { return self->delegate(self->state.slow, std::move(msg)); },
      [self](sign_up_by_mail& msg) {
        return self->delegate(self->state.slow, std::move(msg));
      },
      [self](sign_in& msg) { return self->delegate(self->state.slow, std::move(msg)); },
      [self](refresh_session& msg) {
        return self->delegate(self->state.quick, std::move(msg));
      },
      [self](const find_user& msg) { return self->delegate(self->state.quick, msg); },
      [self](const sign_out& msg) { return self->delegate(self->state.quick, msg); },
      [self](const welcome_user& msg) {
        return self->delegate(self->state.quick, msg);
      },
      [self](change_user& msg) {
        return self->delegate(self->state.lane(!msg.change.password.empty()),
                              std::move(msg));
      },
      [self](create_account& msg) {
        return self->delegate(self->state.lane(!msg.fields.password.empty()),
                              std::move(msg));
      },
      [self](const list_accounts& msg) {
        return self->delegate(self->state.quick, msg);
      },
      [self](const find_account& msg) {
        return self->delegate(self->state.quick, msg);
      },
      [self](change_account& msg) {
        return self->delegate(self->state.lane(!msg.fields.password.empty()),
                              std::move(msg));
      },
      [self](const delete_account& msg) {
        return self->delegate(self->state.quick, msg);
      },
  };
}

namespace {

using worker_pointer = account_worker_actor::stateful_pointer<account_worker_state>;

[[nodiscard]] caf::result<done> answer_done(result<void> got) {
  if (!got)
    return to_caf(std::move(got.error()));
  return done{};
}

[[nodiscard]] caf::result<storage::pending_sign_up>
join_by_mail(worker_pointer self, const sign_up_by_mail& msg) {
  auto& state = self->state;
  if (!state.desk)
    return to_caf({errc::forbidden, "no mail mode", "email_provider_disabled", {}});
  auto made =
      storage::sign_up_by_mail(*state.db, state.desk->rules, msg.what, msg.plan);
  if (made)
    self->send(state.desk->mailer, mail_waits{});
  return answer(std::move(made));
}

[[nodiscard]] caf::result<account> change_own(worker_pointer self,
                                              const change_user& msg) {
  auto& state = self->state;
  auto changed =
      storage::change_user(*state.db, state.limits, msg.user, msg.session, msg.change,
                           state.desk ? &state.desk->rules : nullptr);
  if (changed && state.desk && !msg.change.email.empty())
    self->send(state.desk->mailer, mail_waits{});
  return answer(std::move(changed));
}

} // namespace

account_worker_actor::behavior_type
account_worker(account_worker_actor::stateful_pointer<account_worker_state> self,
               storage::endpoint database, config::auth_settings limits,
               mail_desk_ptr desk) {
  guard(self, "ACCOUNT WORKER");
  self->state = {limits,
                 std::make_unique<storage::connection>(std::move(database),
                                                       storage::role::accounts),
                 std::move(desk)};
  return {
      [self](const sign_up& msg) {
        auto& state = self->state;
        return answer(storage::sign_up(*state.db, state.limits, msg.what, msg.from));
      },
      [self](const sign_up_by_mail& msg) { return join_by_mail(self, msg); },
      [self](const sign_in& msg) {
        auto& state = self->state;
        return answer(storage::sign_in(*state.db, state.limits, msg.email, msg.password,
                                       msg.from));
      },
      [self](const refresh_session& msg) {
        auto& state = self->state;
        return answer(
            storage::refresh(*state.db, state.limits, msg.refresh_token, msg.from));
      },
      [self](const find_user& msg) {
        return answer(storage::find_user(*self->state.db, msg.user, msg.session));
      },
      [self](const sign_out& msg) {
        return answer_done(
            storage::sign_out(*self->state.db, msg.user, msg.session, msg.scope));
      },
      [self](const welcome_user& msg) {
        return answer_done(storage::welcome_user(*self->state.db, msg.user));
      },
      [self](const change_user& msg) { return change_own(self, msg); },
      [self](const create_account& msg) {
        auto& state = self->state;
        return answer(storage::create_account(*state.db, state.limits, msg.fields));
      },
      [self](const list_accounts& msg) {
        return answer(storage::list_accounts(*self->state.db, msg.which));
      },
      [self](const find_account& msg) {
        return answer(storage::find_account(*self->state.db, msg.user));
      },
      [self](const change_account& msg) {
        auto& state = self->state;
        return answer(
            storage::change_account(*state.db, state.limits, msg.user, msg.fields));
      },
      [self](const delete_account& msg) {
        return answer_done(
            storage::delete_account(*self->state.db, msg.user, msg.softly));
      },
      [](are_you_free) { return done{}; },
  };
}

account_worker_actor::behavior_type hashing_account_worker(
    account_worker_actor::stateful_pointer<account_worker_state> self,
    storage::endpoint database, config::auth_settings limits, mail_desk_ptr desk) {
  ops::give_way(); // a detached actor begins on its own thread
  return account_worker(self, std::move(database), std::move(limits), std::move(desk));
}

} // namespace jessica::actors
