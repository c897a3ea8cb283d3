// The steps INFERENCE takes with its job, shared by its sources.
#pragma once

#include "actors/inference.hpp"
#include "wire/reply_events.hpp"

#include <string>

namespace jessica::actors::inference_steps {

using self_pointer = inference_actor::stateful_pointer<inference_state>;
using pending = inference_state::pending;
using how = reply_over::how;

// --- What members are told -----------------------------------------------------------

[[nodiscard]] wire::reply_ref ref_of(const inference_state& state);
/// What is told beside the reply's text, and kept nowhere.
void tell_aside(self_pointer self, std::string event, std::string payload);
/// A model may hand over all its thoughts at once: no event is longer than this.
void tell_thoughts(self_pointer self);
/// Thoughts come faster than anybody reads them: a few events a second will do.
void think(self_pointer self, const engines::reasoning_made& made);
void change_model(self_pointer self, engines::model_changed& to);
/// Tokens that members do not know yet.
void tell_tokens(self_pointer self);

// --- What is asked -------------------------------------------------------------------

/// Reads the conversation, remembers what fits, asks the engine.
void load_prompt(self_pointer self);

// --- What is stored ------------------------------------------------------------------

/// The database was away, or busy: the same may work later.
[[nodiscard]] bool may_pass(const error& why);
/// CHANNELs outlive us by far: they shall not keep us among who watches them.
void leave_room(self_pointer self, reply_over last);
void end(self_pointer self, reply_over last);
void retry_later(self_pointer self, pending what);
/// An estimate: no engine tells what it counted before it ended. With the cost.
[[nodiscard]] usage used_so_far(const inference_state& state);
/// Text, usage and status in one commit; members hear of it afterwards.
void store_outcome(self_pointer self);
/// Not beside a checkpoint of the same job, which then calls this: the two would wait
/// for each other's rows.
void store_end(self_pointer self);
void fail_job(self_pointer self, engines::text_failed why);
void save_text_so_far(self_pointer self);

/// The engine is cancelled at once; what it said so far is the reply.
void stop(self_pointer self);

} // namespace jessica::actors::inference_steps
