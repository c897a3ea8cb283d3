#include "actors/keeper.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "storage/broadcasts.hpp"
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

/// Each minute: days begin and end, and broadcasts expire.
void tend_broadcasts(keeper_state& state, std::chrono::steady_clock::time_point now) {
  constexpr auto pause = std::chrono::seconds{60};
  if (state.broadcasts_tended && now - *state.broadcasts_tended < pause)
    return;
  state.broadcasts_tended = now;
  if (auto swept = storage::sweep_broadcasts(*state.db); !swept)
    ops::warn("broadcasts.sweep_failed", {{"cause", swept.error().what}});
  else if (*swept > 0)
    ops::debug("broadcasts.swept", {{"expired", *swept}});
}

[[nodiscard]] result<lease_held> beat_once(keeper_state& state, const heartbeat& msg) {
  auto held = hold_lease(state, msg.lease);
  if (!held)
    return std::unexpected{std::move(held.error())};
  if (auto swept = storage::sweep(*state.db); !swept)
    ops::warn("nodes.sweep_failed", {{"cause", swept.error().what}});
  else if (*swept > 0)
    ops::info("nodes.swept", {{"jobs", *swept}});
  return lease_held{*held};
}

} // namespace

keeper_actor::behavior_type keeper(keeper_actor::stateful_pointer<keeper_state> self,
                                   keeper_options options) {
  guard(self, "KEEPER");
  // A lease or claim that a crash of the database takes back is only made again.
  self->state.db = std::make_unique<storage::connection>(
      options.database, storage::role::engine, storage::commits::lazy);
  self->state.options = std::move(options);
  return {
      [self](const heartbeat& msg) {
        auto held = beat_once(self->state, msg);
        if (held)
          tend_broadcasts(self->state, self->clock().now());
        return answer(std::move(held));
      },
      [self](const claim_jobs& msg) {
        return answer(storage::claim(*self->state.db, msg.lease, msg.wish));
      },
      [self](const list_held& msg) -> caf::result<held_jobs> {
        auto ids = storage::held_jobs(*self->state.db, msg.lease);
        if (!ids)
          return to_caf(std::move(ids.error()));
        return held_jobs{std::move(*ids)};
      },
      [self](const hand_back_jobs& msg) -> caf::result<done> {
        auto handed = storage::hand_back(*self->state.db, msg.lease, msg.ids);
        if (!handed)
          return to_caf(std::move(handed.error()));
        return done{};
      },
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
