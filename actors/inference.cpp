#include "actors/inference.hpp"

#include "actors/errors.hpp"
#include "actors/prompt_memories.hpp"
#include "actors/supervision.hpp"
#include "domain/utf8.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "wire/reply_params.hpp"

#include <caf/send.hpp>

#include <memory>
#include <string_view>
#include <utility>
#include <variant>

namespace jessica::actors {
namespace {

using self_pointer = inference_actor::stateful_pointer<inference_state>;
using pending = inference_state::pending;
using how = reply_over::how;

/// While the database is away a job waits this long between tries; DISPATCHER ends it
/// when the lease is lost, so it cannot wait for ever.
constexpr auto retry_pause = std::chrono::milliseconds{500};

[[nodiscard]] ops::counter& tokens_streamed() {
  static auto counted = ops::counter{"jessica_actors_tokens_total",
                                     "Tokens of replies handed to channels"};
  return counted;
}

/// The database was away, or busy: the same may work later.
[[nodiscard]] bool may_pass(const error& why) {
  return why.code == errc::unavailable || why.code == errc::overloaded ||
         why.code == errc::timeout;
}

[[nodiscard]] wire::reply_ref ref_of(const inference_state& state) {
  return {state.what.reply, state.what.attempt};
}

/// CHANNELs outlive us by far: they shall not keep us among who watches them.
void leave_room(self_pointer self, reply_over last) {
  auto& state = self->state;
  if (!state.channel)
    return;
  last.room = state.room;
  self->send(state.channel, std::move(last));
  self->demonitor(state.channel.address());
}

void end(self_pointer self, reply_over last) {
  auto& state = self->state;
  state.generation.reset();
  last.of = ref_of(state);
  last.seq = state.seq;
  leave_room(self, std::move(last));
  self->send(state.deps.dispatcher, job_ended{state.what.id});
  self->quit();
}

void retry_later(self_pointer self, pending what) {
  self->state.next = what;
  self->delayed_send(self, retry_pause, try_again{});
}

/// The job is stored as failed; PERSISTENCE says whether it will be tried again.
void store_failure(self_pointer self) {
  auto& state = self->state;
  const auto what = failure{state.what.id, state.failed.what, state.failed.retryable};
  self->request(state.deps.persistence, caf::infinite, give_up{what})
      .then(
          [self](job_status became) {
            ops::warn("job.failed", {{"job", self->state.what.id.value},
                                     {"attempt", self->state.what.attempt},
                                     {"cause", self->state.failed.what},
                                     {"final", became == job_status::dead}});
            const auto last = became == job_status::dead        ? how::failed
                              : became == job_status::cancelled ? how::cancelled
                              : became == job_status::lost      ? how::lost
                                                                : how::retrying;
            end(self, {.of = {},
                       .end = last,
                       .seq = 0,
                       .finish_reason = {},
                       .what = self->state.failed.what,
                       .used = {}});
          },
          [self](const caf::error&) { retry_later(self, pending::give_up); });
}

/// What is told beside the reply's text, and kept nowhere.
void tell_aside(self_pointer self, std::string event, std::string payload) {
  constexpr auto server = socket_number{0};
  auto& state = self->state;
  if (state.channel && state.deps.lease->held(self->clock().now()))
    self->send(
        state.channel,
        broadcast{state.room, server, {std::move(event), true, std::move(payload)}});
}

/// A model may hand over all its thoughts at once: no event is longer than this.
void tell_thoughts(self_pointer self) {
  constexpr auto most_bytes = std::size_t{16'384};
  auto& thinks = self->state.thinks;
  if (thinks.untold.empty())
    return;
  thinks.told_at = self->clock().now();
  const auto all = std::exchange(thinks.untold, {});
  for (auto rest = std::string_view{all}; !rest.empty();) {
    const auto part = cut_utf8(rest, most_bytes);
    tell_aside(self, "reply.reasoning",
               wire::reply_reasoning(ref_of(self->state), std::string{part}));
    rest.remove_prefix(part.size());
  }
}

/// Thoughts come faster than anybody reads them: a few events a second will do.
void think(self_pointer self, const engines::reasoning_made& made) {
  constexpr auto pause = std::chrono::milliseconds{100};
  auto& thinks = self->state.thinks;
  thinks.untold += made.text;
  if (self->clock().now() - thinks.told_at >= pause)
    tell_thoughts(self);
}

void change_model(self_pointer self, engines::model_changed& to) {
  auto& state = self->state;
  state.model = std::move(to.model);
  tell_aside(self, "reply.model", wire::reply_model(ref_of(state), state.model));
}

/// Tokens that members do not know yet.
void tell_tokens(self_pointer self) {
  auto& state = self->state;
  if (state.told.seq == state.seq)
    return;
  self->send(state.channel, reply_grew{state.room, ref_of(state), state.told.seq + 1,
                                       state.seq, state.text.substr(state.told.bytes)});
  state.told = {state.seq, state.text.size()};
}

void end_stored(self_pointer self, bool ours) {
  auto& state = self->state;
  if (!ours)
    ops::warn("job.lost", {{"job", state.what.id.value}});
  else if (state.channel)
    tell_tokens(self); // the commit says that the job was ours all the time
  end(self, {.of = {},
             .end = !ours           ? how::lost
                    : state.stopped ? how::cancelled
                                    : how::completed,
             .seq = 0,
             .finish_reason = state.ended.finish_reason,
             .what = {},
             .used = state.ended.used});
}

/// Text, usage and status in one commit; members hear of it afterwards.
void store_outcome(self_pointer self) {
  auto& state = self->state;
  const auto what = outcome{state.what.id, state.what.attempt, state.stopped,
                            state.text,    state.ended.used,   state.model};
  self->request(state.deps.persistence, caf::infinite, finish{what})
      .then([self](bool ours) { end_stored(self, ours); },
            [self](const caf::error&) { retry_later(self, pending::finish); });
}

/// What was said since the last checkpoint: a failed reply keeps its text.
void store_last_words(self_pointer self) {
  auto& state = self->state;
  self->request(state.deps.persistence, caf::infinite,
                save_progress{{state.what.id, state.what.attempt, state.text}})
      .then(
          [self, bytes = state.text.size()](job_hold) {
            self->state.saved_bytes = bytes;
            store_failure(self);
          },
          [self](const caf::error& why) {
            if (may_pass(from_caf(why)))
              retry_later(self, pending::give_up);
            else
              store_failure(self);
          });
}

/// Not beside a checkpoint of the same job, which then calls this: the two would wait
/// for each other's rows.
void store_end(self_pointer self) {
  auto& state = self->state;
  if (state.saving)
    return;
  if (!state.gave_up)
    store_outcome(self);
  else if (state.saved_bytes < state.text.size())
    store_last_words(self);
  else
    store_failure(self);
}

void fail_job(self_pointer self, engines::text_failed why) {
  auto& state = self->state;
  state.over = true;
  state.gave_up = true;
  state.generation.reset();
  state.failed = std::move(why);
  store_end(self);
}

/// The engine is cancelled at once; what it said so far is the reply.
void stop(self_pointer self) {
  auto& state = self->state;
  if (state.over)
    return;
  if (!state.channel) { // it is being opened: members shall hear of the stop
    state.what.cancelled = true;
    return;
  }
  state.over = true;
  state.stopped = true;
  state.generation.reset();
  constexpr auto bytes_a_token = std::size_t{4}; // no engine tells what it counted
  state.ended.used = {static_cast<std::int64_t>(state.prompt_bytes / bytes_a_token),
                      static_cast<std::int64_t>(state.seq), true};
  ops::info("job.stopped", {{"job", state.what.id.value}, {"tokens", state.seq}});
  store_end(self);
}

void save_text_so_far(self_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (state.saving || now - state.saved_at < state.deps.checkpoint_every)
    return;
  state.saved_at = now;
  state.saving = true;
  self->request(state.deps.persistence, caf::infinite,
                save_progress{{state.what.id, state.what.attempt, state.text}})
      .then(
          [self, bytes = state.text.size()](job_hold hold) {
            self->state.saving = false;
            self->state.saved_bytes = bytes;
            if (self->state.over)
              return store_end(self);
            if (hold == job_hold::cancelled)
              stop(self);
            else if (hold == job_hold::lost)
              end(self, {.of = {},
                         .end = how::lost,
                         .seq = 0,
                         .finish_reason = {},
                         .what = {},
                         .used = {}});
          },
          // The text is safe with us; the next second tries again.
          [self](const caf::error&) {
            self->state.saving = false;
            if (self->state.over)
              store_end(self);
          });
}

void grow(self_pointer self, const engines::text_made& made) {
  auto& state = self->state;
  tell_thoughts(self);
  state.seq += made.tokens;
  state.text += made.text;
  tokens_streamed().add(made.tokens);
  if (state.deps.lease->held(self->clock().now()))
    tell_tokens(self);
  save_text_so_far(self);
}

void take_event(self_pointer self, engines::engine_event& event) {
  auto& state = self->state;
  if (state.over)
    return;
  if (auto* made = std::get_if<engines::text_made>(&event))
    return grow(self, *made);
  if (auto* failed = std::get_if<engines::text_failed>(&event))
    return fail_job(self, std::move(*failed));
  if (const auto* thought = std::get_if<engines::reasoning_made>(&event))
    return think(self, *thought);
  if (auto* other = std::get_if<engines::model_changed>(&event))
    return change_model(self, *other);
  tell_thoughts(self);
  state.over = true;
  state.ended = std::get<engines::text_ended>(std::move(event));
  store_end(self);
}

[[nodiscard]] std::size_t size_of(const prompt& asked) {
  auto bytes = asked.system ? asked.system->size() : std::size_t{0};
  for (const auto& one : asked.turns)
    bytes += one.content.size();
  return bytes;
}

void ask_engine(self_pointer self, prompt asked) {
  auto& state = self->state;
  state.model = state.deps.engine->model_of(asked);
  state.memories = asked.memories;
  self->send(state.channel, reply_begun{state.room, state.what, state.model,
                                        std::nullopt, state.memories});
  state.saved_at = self->clock().now();
  state.prompt_bytes = size_of(asked);
  state.generation = state.deps.engine->start(
      std::move(asked), [me = inference_actor{self}](engines::engine_event event) {
        caf::anon_send(me, generated{std::move(event)});
      });
}

/// A reply without memories is better than one that is late.
void recall(self_pointer self, prompt asked) {
  const auto& state = self->state;
  if (!state.deps.memory || !asked.recalls || asked.turns.empty())
    return ask_engine(self, std::move(asked));
  auto question = recall_for(state.what.user, asked);
  auto kept = std::make_shared<prompt>(std::move(asked));
  const auto go_on = [self, kept, of = state.prompts] {
    if (!self->state.over && of == self->state.prompts)
      ask_engine(self, std::move(*kept));
  };
  self->request(state.deps.memory, state.deps.memory_timeout, std::move(question))
      .then(
          [kept, go_on](const memories_found& found) {
            add_memories(*kept, found.found);
            go_on();
          },
          [go_on](const caf::error& why) {
            count_forgotten(from_caf(why));
            go_on();
          });
}

/// What the sender asked for is stronger than what the conversation says.
void take_prompt(self_pointer self, prompt asked) {
  auto params = wire::read_reply_params(self->state.what.params);
  if (!params) // of a job that was made in SQL
    return fail_job(self, {params.error().what, false});
  if (params->system)
    asked.system = std::exchange(params->system, std::nullopt);
  asked.params = std::move(*params);
  recall(self, std::move(asked));
}

void load_prompt(self_pointer self) {
  auto& state = self->state;
  const auto& what = state.what;
  ++state.prompts;
  self->request(state.deps.readers, caf::infinite,
                fetch_prompt{what.user, what.conversation, what.message})
      .then(
          [self, of = state.prompts](prompt& asked) {
            if (!self->state.over && of == self->state.prompts)
              take_prompt(self, std::move(asked));
          },
          [self](const caf::error& why) {
            if (self->state.over)
              return;
            const auto cause = from_caf(why);
            if (may_pass(cause))
              return retry_later(self, pending::load_prompt);
            fail_job(self, {"the conversation could not be read: " + cause.what,
                            cause.code == errc::internal});
          });
}

void open_channel(self_pointer self) {
  auto& state = self->state;
  auto where = topic{"conversation:" + state.what.conversation.str(), true};
  self->request(state.deps.hub, caf::infinite, open_topic{std::move(where)})
      .then(
          [self](open_room& opened) {
            auto& ready = self->state;
            ready.channel = std::move(opened.channel);
            ready.room = opened.number;
            self->monitor(ready.channel);
            if (ready.what.cancelled)
              return stop(self);
            if (ready.over)
              return;
            if (!ready.generation)
              return load_prompt(self);
            ready.told = {ready.seq, ready.text.size()};
            self->send(ready.channel,
                       reply_begun{ready.room, ready.what, ready.model,
                                   reply_begun::progress{ready.seq, ready.text},
                                   ready.memories});
          },
          [self](const caf::error& why) {
            if (self->state.over)
              return;
            const auto cause = from_caf(why);
            if (cause.code == errc::unavailable) // one fails: another takes its place
              return retry_later(self, pending::open_channel);
            fail_job(self, {"no channel: " + cause.what, true});
          });
}

} // namespace

inference_actor::behavior_type inference(self_pointer self, inference_deps deps,
                                         job what) {
  guard(self, "INFERENCE");
  self->state.deps = std::move(deps);
  self->state.what = std::move(what);
  self->set_down_handler([self](caf::down_msg& down) {
    if (self->state.channel.address() == down.source && !self->state.over)
      open_channel(self); // the stream goes on in a new CHANNEL
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    auto& state = self->state;
    state.generation.reset();
    leave_room(self, {.of = ref_of(state),
                      .end = how::lost,
                      .seq = state.seq,
                      .finish_reason = {},
                      .what = {},
                      .used = {}});
    self->quit(exit.reason);
  });
  open_channel(self);
  return {
      [self](generated& msg) { take_event(self, msg.event); },
      [self](stop_job) { stop(self); },
      [self](try_again) {
        switch (std::exchange(self->state.next, pending::nothing)) {
        case pending::open_channel:
          if (!self->state.over)
            open_channel(self);
          return;
        case pending::load_prompt:
          if (!self->state.over)
            load_prompt(self);
          return;
        case pending::finish:
          return store_outcome(self);
        case pending::give_up:
          return store_end(self);
        case pending::nothing:
          return;
        }
      },
  };
}

} // namespace jessica::actors
