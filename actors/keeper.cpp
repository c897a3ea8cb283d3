#include "actors/keeper.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "storage/jobs.hpp"

#include <utility>

namespace jessica::actors {
namespace {

/// Renews the lease or, when there is none any more, joins with a new one.
[[nodiscard]] result<lease_id> hold_lease(keeper_state& state, lease_id held) {
  if (held != lease_id{}) {
    auto renewed = storage::renew(*state.db, held, state.options.lease);
    if (!renewed)
      return std::unexpected{std::move(renewed.error())};
    if (*renewed)
      return held;
  }
  return storage::join_node(*state.db, state.options.node, state.options.lease);
}

[[nodiscard]] result<heartbeat_result> beat_once(keeper_state& state,
                                                 const heartbeat& msg) {
  auto held = hold_lease(state, msg.lease);
  if (!held)
    return std::unexpected{std::move(held.error())};
  auto swept = storage::sweep(*state.db);
  if (!swept)
    return std::unexpected{std::move(swept.error())};
  auto beaten = heartbeat_result{*held, {}};
  if (msg.want == 0)
    return beaten;
  auto claimed = storage::claim(*state.db, *held, msg.want);
  if (!claimed)
    return std::unexpected{std::move(claimed.error())};
  beaten.claimed = std::move(*claimed);
  return beaten;
}

} // namespace

keeper_actor::behavior_type keeper(keeper_actor::stateful_pointer<keeper_state> self,
                                   keeper_options options) {
  guard(self, "KEEPER");
  self->state.db =
      std::make_unique<storage::connection>(options.database, storage::role::engine);
  self->state.options = std::move(options);
  return {
      [self](const heartbeat& msg) { return answer(beat_once(self->state, msg)); },
      [self](const leave_cluster& msg) -> caf::result<done> {
        auto left = storage::leave_node(*self->state.db, msg.lease);
        if (!left)
          return to_caf(std::move(left.error()));
        return done{};
      },
      [](are_you_free) { return done{}; },
  };
}

} // namespace jessica::actors
