// The steps INFERENCE takes with its job, shared by its sources.
#pragma once

#include "actors/inference.hpp"
#include "wire/reply_events.hpp"

#include <string>
#include <string_view>

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
/// Told when it is another one.
void change_model(self_pointer self, const std::string& to);
/// Tokens that members do not know yet.
void tell_tokens(self_pointer self);

// --- What is asked -------------------------------------------------------------------

/// Reads the conversation, remembers what fits, asks the engine.
void load_prompt(self_pointer self);

/// Begins a generation, and keeps the prompt when it may call tools.
void generate(self_pointer self, prompt asked);

// --- What the engine asks for: tools
// ---------------------------------------------------

/// Those that this reply may call, if any.
void offer_tools(const inference_state& state, prompt& to);
/// Begins a round of calls.
void call_tools(self_pointer self, engines::tools_called what);
/// One of them has ended; after the last one the engine is asked again.
void take_outcome(self_pointer self, tool_ended& what);
/// Puts a break between the texts of two generations.
void part_texts(inference_state& state, std::string_view next);
/// What all generations took, the last one with `last`.
[[nodiscard]] usage all_used(const inference_state& state, const usage& last);

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
/// What a checkpoint stores.
[[nodiscard]] checkpoint checkpoint_of(const inference_state& state);

/// The engine has said all.
void take_end(self_pointer self, engines::text_ended how);

/// The engine is cancelled at once; what it said so far is the reply.
void stop(self_pointer self);

} // namespace jessica::actors::inference_steps
