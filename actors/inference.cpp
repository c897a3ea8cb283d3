#include "actors/inference.hpp"

#include "actors/errors.hpp"
#include "actors/inference_steps.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <memory>
#include <utility>
#include <variant>

namespace jessica::actors {

using namespace inference_steps;

namespace {

[[nodiscard]] ops::counter& tokens_streamed() {
  static auto counted = ops::counter{"jessica_actors_tokens_total",
                                     "Tokens of replies handed to channels"};
  return counted;
}

} // namespace

void inference_steps::stop(self_pointer self) {
  auto& state = self->state;
  if (state.over)
    return;
  if (!state.channel) { // it is being opened: members shall hear of the stop
    state.what.cancelled = true;
    return;
  }
  state.over = true;
  state.stopped = true;
  state.ended.used = used_so_far(state);
  state.generation.reset();
  state.work.running.clear();
  ops::info("job.stopped", {{"job", state.what.id.value}, {"tokens", state.seq}});
  store_end(self);
}

void inference_steps::take_end(self_pointer self, engines::text_ended how) {
  auto& state = self->state;
  tell_thoughts(self);
  state.over = true;
  state.ended = std::move(how);
  state.ended.used = all_used(state, state.ended.used);
  store_end(self);
}

namespace {

void grow(self_pointer self, const engines::text_made& made) {
  auto& state = self->state;
  tell_thoughts(self);
  if (state.model != state.work.answers) // that of the round before
    change_model(self, state.work.answers);
  part_texts(state, made.text);
  if (state.text.size() + made.text.size() > state.deps.tools.max_reply_bytes)
    return fail_job(self, {"The language model's answer was too long.", false});
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
    return change_model(self, state.work.answers = std::move(other->model));
  if (auto* called = std::get_if<engines::tools_called>(&event))
    return call_tools(self, std::move(*called));
  take_end(self, std::get<engines::text_ended>(std::move(event)));
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
            if (ready.what.cancelled && !ready.over)
              return stop(self);
            if (!ready.generation && !ready.over)
              return load_prompt(self);
            // What is held back stays so; an end that is being stored is told here.
            self->send(
                ready.channel,
                reply_begun{ready.room, ready.what, ready.model,
                            reply_begun::progress{
                                ready.told.seq, ready.text.substr(0, ready.told.bytes)},
                            ready.memories});
          },
          [self](const caf::error& why) {
            if (self->state.over)
              return;
            const auto cause = from_caf(why);
            if (may_pass(cause)) // one fails: another takes its place
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
    if (self->state.channel.address() == down.source)
      open_channel(self); // the stream goes on in a new CHANNEL
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    auto& state = self->state;
    state.generation.reset();
    state.work.running.clear();
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
      [self](tool_ended& msg) { take_outcome(self, msg); },
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
