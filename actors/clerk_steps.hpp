// CLERK's steps that more than one source uses. Private to it.
#pragma once

#include "actors/clerk.hpp"

#include <span>

namespace jessica::actors {

using clerk_pointer = clerk_actor::stateful_pointer<clerk_state>;
using line_outcome = storage::rest_line::outcome;

// clerk.cpp

void answer(clerk_pointer self, clerk_state::errand& of, line_outcome with);
void close(clerk_state::place& which);
void open(clerk_pointer self, clerk_state::place& which);
/// Looks after a while whether something is silent for too long.
void look_later(clerk_pointer self);
/// The places of requests, without the flush line's.
[[nodiscard]] std::span<clerk_state::place> places_of(clerk_state& state);
inline constexpr auto silence_limit = std::chrono::seconds{30};

// clerk_flush.cpp: writes that wait for the disk together. A transaction that does not
// wait for it leaves its line to the next one; what all of them wait for is one commit
// on a line of its own, which makes durable what was committed before.

/// By which opening of the flush line a request's commit is to be made durable; 0: it
/// waits for the disk itself, which is quicker where it is alone.
[[nodiscard]] std::uint64_t flush_for(clerk_pointer self, const rest_request& what);
/// Keeps the answer until it is durable.
void committed(clerk_pointer self, clerk_state::place& on, rest_reply reply);
/// The flush line's socket is ready.
void flush_ready(clerk_pointer self);
/// It has been silent for too long.
void look_at_flush(clerk_pointer self);

} // namespace jessica::actors
