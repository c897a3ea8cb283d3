#include "actors/mailer.hpp"

#include "actors/mail_delivery.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"

#include <utility>

namespace jessica::actors {
namespace {

/// For what is due again, and for letters of nodes that died.
constexpr auto look_every = std::chrono::seconds{1};
constexpr auto sweep_every = std::chrono::seconds{60};

void sweep(mailer_state& state, std::chrono::steady_clock::time_point now) {
  if (state.swept && now - *state.swept < sweep_every)
    return;
  state.swept = now;
  if (auto swept = storage::sweep_mail(*state.db, state.options->rules); !swept)
    ops::warn("mail.sweep_failed", {{"cause", swept.error().what}});
}

} // namespace

mailer_actor::behavior_type mailer(mailer_actor::stateful_pointer<mailer_state> self,
                                   std::shared_ptr<const mailer_options> options) {
  guard(self, "MAILER");
  auto& state = self->state;
  state.db =
      std::make_unique<storage::connection>(options->database, storage::role::accounts);
  state.to = options->open();
  state.options = std::move(options);
  self->send(self, look_for_mail{});
  // One letter a message: a stop waits for no more than that.
  const auto deliver = [self, &state] {
    if (deliver_next(*state.db, state.options->rules, *state.to))
      self->send(self, mail_waits{});
  };
  return {
      [deliver](mail_waits) { deliver(); },
      [self, &state, deliver](look_for_mail) {
        sweep(state, self->clock().now());
        deliver();
        self->delayed_send(self, look_every, look_for_mail{});
      },
  };
}

} // namespace jessica::actors
