#include "actors/codes.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "storage/flow_state.hpp"

#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = codes_actor::stateful_pointer<code_worker_state>;

/// A call that may have stored a letter is over: MAILER hears of it.
template <class T> result<T> posted(self_pointer self, result<T> what) {
  if (what)
    self->send(self->state.desk->mailer, mail_waits{});
  return what;
}

[[nodiscard]] caf::result<done> answer_done(result<void> what) {
  if (!what)
    return to_caf(std::move(what.error()));
  return done{};
}

} // namespace

codes_actor::behavior_type
code_worker(codes_actor::stateful_pointer<code_worker_state> self,
            storage::endpoint database, mail_desk_ptr desk) {
  guard(self, "CODE WORKER");
  self->state = {std::move(desk), std::make_unique<storage::connection>(
                                      std::move(database), storage::role::accounts)};
  auto& state = self->state;
  return {
      [self, &state](const request_sign_in& msg) {
        return answer_done(
            posted(self, storage::request_sign_in(*state.db, state.desk->rules,
                                                  msg.what, msg.plan)));
      },
      [self, &state](const request_recovery& msg) {
        return answer_done(
            posted(self, storage::request_recovery(*state.db, state.desk->rules,
                                                   msg.email, msg.plan)));
      },
      [self, &state](const resend_mail& msg) {
        return answer_done(
            posted(self, storage::resend(*state.db, state.desk->rules, msg.email,
                                         msg.change, msg.plan)));
      },
      [self, &state](const invite_user& msg) {
        return answer(posted(self, storage::invite(*state.db, state.desk->rules,
                                                   msg.email, msg.data, msg.plan)));
      },
      [self, &state](const reauthenticate& msg) {
        return answer_done(
            posted(self, storage::request_reauthentication(*state.db, state.desk->rules,
                                                           msg.user, msg.session)));
      },
      [&state](const redeem_code& msg) {
        return answer(storage::redeem(*state.db, state.desk->rules, msg.what,
                                      msg.by_link, msg.from));
      },
      [&state](const exchange_code& msg) {
        return answer(storage::exchange_code(*state.db, state.desk->rules,
                                             msg.auth_code, msg.verifier, msg.from));
      },
      [](are_you_free) { return done{}; },
  };
}

} // namespace jessica::actors
