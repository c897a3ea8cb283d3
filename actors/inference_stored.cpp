#include "actors/errors.hpp"
#include "actors/inference_steps.hpp"
#include "actors/usage_counts.hpp"
#include "ops/log.hpp"

#include <caf/send.hpp>

#include <utility>

namespace jessica::actors::inference_steps {
namespace {

/// While the database is away a job waits this long between tries; DISPATCHER ends it
/// when the lease is lost, so it cannot wait for ever.
constexpr auto retry_pause = std::chrono::milliseconds{500};

} // namespace

bool may_pass(const error& why) {
  return why.code == errc::unavailable || why.code == errc::overloaded ||
         why.code == errc::timeout;
}

void leave_room(self_pointer self, reply_over last) {
  auto& state = self->state;
  if (!state.channel)
    return;
  last.room = state.room;
  self->send(state.channel, std::move(last));
  self->demonitor(state.channel.address());
}

namespace {

[[nodiscard]] usage priced(const inference_state& state, usage used) {
  if (state.deps.prices)
    used.cost = cost_of(*state.deps.prices, state.model, used);
  return used;
}

/// Nothing of a lost job is stored, but it was paid for.
void count_lost(const inference_state& state) {
  const auto& used = state.ended.used;
  if (state.deps.teller && used.prompt_tokens + used.completion_tokens > 0)
    caf::anon_send(state.deps.teller, spend{{.user = state.what.user,
                                             .model = state.model,
                                             .used = used,
                                             .replies = 1,
                                             .hold = {},
                                             .job = state.what.id,
                                             .saved = state.saved_used}});
}

} // namespace

usage used_so_far(const inference_state& state) {
  constexpr auto bytes_a_token = std::size_t{4};
  if (state.work.left > 0) // of tools it waits for, and for no engine
    return priced(state, state.work.used);
  const auto last =
      usage{static_cast<std::int64_t>(state.prompt_bytes / bytes_a_token),
            static_cast<std::int64_t>(state.seq - state.work.from_seq), true};
  return priced(state, all_used(state, last));
}

void end(self_pointer self, reply_over last) {
  auto& state = self->state;
  if (last.end == how::lost)
    count_lost(state);
  else
    note_usage(state.ended.used);
  state.generation.reset();
  state.work.running.clear();
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

namespace {

/// The job is stored as failed; PERSISTENCE says whether it will be tried again.
void store_failure(self_pointer self) {
  auto& state = self->state;
  const auto what = failure{.job = state.what.id,
                            .what = state.failed.what,
                            .retryable = state.failed.retryable,
                            .used = state.ended.used,
                            .model = state.model};
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

/// A title that could not be written after the first exchange may be after the next.
void ask_for_title(self_pointer self) {
  constexpr auto young = std::size_t{3};
  const auto& state = self->state;
  if (state.deps.titler && !state.stopped && state.exchanges <= young)
    self->send(
        state.deps.titler,
        name_conversation{state.what.user, state.what.conversation, state.named_model});
}

void end_stored(self_pointer self, bool ours) {
  auto& state = self->state;
  if (ours)
    ask_for_title(self);
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

} // namespace

void store_outcome(self_pointer self) {
  auto& state = self->state;
  state.ended.used = priced(state, state.ended.used);
  const auto what = outcome{.job = state.what.id,
                            .attempt = state.what.attempt,
                            .cancelled = state.stopped,
                            .content = state.text,
                            .used = state.ended.used,
                            .model = state.model,
                            .tools = state.work.calls,
                            .finish_reason = state.ended.finish_reason};
  self->request(state.deps.persistence, caf::infinite, finish{what})
      .then([self](bool ours) { end_stored(self, ours); },
            [self](const caf::error&) { retry_later(self, pending::finish); });
}

namespace {

/// What was said since the last checkpoint: a failed reply keeps its text.
void store_last_words(self_pointer self) {
  auto& state = self->state;
  self->request(state.deps.persistence, caf::infinite,
                save_progress{checkpoint_of(state)})
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

} // namespace

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
  state.work.running.clear();
  state.failed = std::move(why);
  if (state.seq > 0 ||
      state.work.used.prompt_tokens >
          0) // else nothing came: nobody knows whether anything was used
    state.ended.used = used_so_far(state);
  store_end(self);
}

checkpoint checkpoint_of(const inference_state& state) {
  return {state.what.id, state.what.attempt, state.text, used_so_far(state),
          state.model};
}

void save_text_so_far(self_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (state.saving || now - state.saved_at < state.deps.checkpoint_every)
    return;
  state.saved_at = now;
  state.saving = true;
  auto what = checkpoint_of(state);
  const auto used = what.used;
  self->request(state.deps.persistence, caf::infinite, save_progress{std::move(what)})
      .then(
          [self, used, bytes = state.text.size()](job_hold hold) {
            self->state.saving = false;
            self->state.saved_bytes = bytes;
            if (hold != job_hold::lost)
              self->state.saved_used = used;
            if (self->state.over)
              return store_end(self);
            if (hold == job_hold::cancelled)
              stop(self);
            else if (hold == job_hold::lost) {
              self->state.ended.used = used_so_far(self->state);
              end(self, {.of = {},
                         .end = how::lost,
                         .seq = 0,
                         .finish_reason = {},
                         .what = {},
                         .used = {}});
            }
          },
          // The text is safe with us; the next second tries again.
          [self](const caf::error&) {
            self->state.saving = false;
            if (self->state.over)
              store_end(self);
          });
}

} // namespace jessica::actors::inference_steps
