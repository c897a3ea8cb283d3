// GATEWAY's books: what was used, on its way to METER. Nobody waits for it.
#pragma once

#include "actors/gateway.hpp"

namespace jessica::actors::gateway_usage {

using self_pointer = gateway_actor::stateful_pointer<gateway_state>;

/// Whether a user's quota has to be asked for before the engine is. As long as METER
/// says that nobody has a limit, no request waits for the database; it says so with
/// each count, so a new limit is heard of with the next one.
[[nodiscard]] bool is_asked(const gateway_state& in) noexcept;

/// Told at once when METER was told nothing just now, else with its next batch: as soon
/// as it is free where somebody has a limit, else some milliseconds later. Beyond the
/// queue's bound it is lost, and counted as that.
void count(self_pointer self, usage_spent what);
/// The time has come for the next batch.
void count_again_now(self_pointer self);

} // namespace jessica::actors::gateway_usage
