#include "actors/errors.hpp"
#include "actors/inference_steps.hpp"
#include "actors/prompt_memories.hpp"
#include "wire/reply_params.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace jessica::actors::inference_steps {

namespace {

[[nodiscard]] std::size_t size_of(const prompt& asked) {
  auto bytes = asked.system ? asked.system->size() : std::size_t{0};
  for (const auto& one : asked.turns)
    bytes += one.content.size();
  return bytes + asked.so_far.size();
}

void ask_engine(self_pointer self, prompt asked) {
  auto& state = self->state;
  offer_tools(state, asked);
  state.model = state.deps.engine->model_of(asked);
  state.memories = asked.memories;
  self->send(state.channel, reply_begun{state.room, state.what, state.model,
                                        std::nullopt, state.memories, state.text});
  state.saved_at = self->clock().now();
  state.exchanges = static_cast<std::size_t>(
      std::ranges::count(asked.turns, "user", &past_turn::role));
  state.named_model = asked.params.model ? asked.params.model : asked.model;
  generate(self, std::move(asked));
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
  auto& state = self->state;
  // A reply that goes on keeps its text; numbered are the tokens that are new.
  state.text = asked.so_far;
  state.told.bytes = state.saved_bytes = state.text.size();
  auto params = wire::read_reply_params(state.what.params);
  if (!params) // of a job that was made in SQL
    return fail_job(self, {params.error().what, false});
  if (params->system)
    asked.system = std::exchange(params->system, std::nullopt);
  asked.params = std::move(*params);
  recall(self, std::move(asked));
}

} // namespace

void generate(self_pointer self, prompt asked) {
  auto& state = self->state;
  state.prompt_bytes = size_of(asked);
  state.work.from = state.text.size();
  state.work.from_seq = state.seq;
  state.work.answers = state.deps.engine->model_of(asked);
  if (!asked.tools.empty())
    state.work.asked = asked;
  state.generation = state.deps.engine->start(
      std::move(asked), [me = inference_actor{self}](engines::engine_event event) {
        caf::anon_send(me, generated{std::move(event)});
      });
}

void load_prompt(self_pointer self) {
  auto& state = self->state;
  const auto& what = state.what;
  ++state.prompts;
  self->request(state.deps.readers, caf::infinite,
                fetch_prompt{what.user, what.conversation, what.message, what.reply,
                             what.kept})
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

} // namespace jessica::actors::inference_steps
