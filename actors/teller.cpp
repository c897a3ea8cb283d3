#include "actors/teller.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "actors/usage_counts.hpp"
#include "ops/log.hpp"
#include "storage/quota.hpp"

#include <utility>

namespace jessica::actors {

teller_actor::behavior_type teller(teller_actor::stateful_pointer<teller_state> self,
                                   storage::endpoint database) {
  guard(self, "TELLER");
  self->state.db = std::make_unique<storage::connection>(
      std::move(database), storage::role::engine, storage::commits::lazy);
  return {
      [self](const hold_quota& msg) {
        auto held = storage::hold_quota(*self->state.db, msg.what);
        if (!held)
          note_refusal(msg.what.user, held.error());
        return answer(std::move(held));
      },
      [self](const spend& msg) {
        note_usage(msg.what.used);
        auto counted = storage::spend(*self->state.db, msg.what);
        if (!counted) // who does not wait for the answer does not hear of it
          ops::warn("usage.lost", {{"user", msg.what.user.str()},
                                   {"model", msg.what.model},
                                   {"cause", counted.error().what}});
        return answer(std::move(counted).transform([] { return done{}; }));
      },
      [self](const spend_all& msg) {
        for (const auto& one : msg.what)
          note_usage(one.used);
        return answer(
            storage::spend_all(*self->state.db, msg.what).transform([](bool limits) {
              return all_spent{limits};
            }));
      },
      [](are_you_free) { return done{}; },
  };
}

} // namespace jessica::actors
