#include "actors/gateway.hpp"

#include "actors/completion_run.hpp"
#include "actors/errors.hpp"
#include "actors/gateway_usage.hpp"
#include "actors/owed_answer.hpp"
#include "actors/prompt_memories.hpp"
#include "actors/supervision.hpp"
#include "engines/token_estimate.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = gateway_actor::stateful_pointer<gateway_state>;
using promise = std::shared_ptr<owed_answer<completion_started>>;
using run_ptr = std::shared_ptr<completion_run>;

struct gateway_metrics {
  ops::counter started{"jessica_actors_completions_total",
                       "Completions started for tools that speak OpenAI"};
  ops::gauge running{"jessica_actors_completions_running",
                     "Completions that run for tools that speak OpenAI"};
};

[[nodiscard]] gateway_metrics& metrics() {
  static auto all = gateway_metrics{};
  return all;
}

/// A quarter of the bytes, as all estimates of what a prompt has.
[[nodiscard]] std::int64_t tokens_in(std::size_t bytes) {
  constexpr auto bytes_a_token = std::size_t{4};
  return static_cast<std::int64_t>(bytes / bytes_a_token);
}

[[nodiscard]] std::size_t size_of(const prompt& asked) {
  auto bytes = asked.system ? asked.system->size() : std::size_t{0};
  for (const auto& one : asked.turns)
    bytes += one.content.size();
  return bytes;
}

/// Of what the user said last: the turns behind it may be tools'.
[[nodiscard]] std::optional<recall_memories> question_of(const start_completion& what) {
  const auto said = std::ranges::find(what.asked.turns | std::views::reverse, "user",
                                      &past_turn::role);
  if (said == what.asked.turns.rend() || said->content.empty())
    return std::nullopt;
  auto last = prompt{};
  last.turns.push_back({"user", said->content});
  auto question = recall_for(*what.who, last);
  question.shown.clear(); // no message of ours is among them
  return question;
}

void ask_engine(self_pointer self, const run_ptr& run, promise to,
                start_completion what) {
  const auto& engine = *self->state.deps.engine;
  auto model = engine.model_of(what.asked);
  what.told(engines::model_changed{model});
  auto sink = [tally = run->tally(),
               told = std::move(what.told)](engines::engine_event event) {
    tally->see(event);
    told(std::move(event));
  };
  run->asks(std::move(model),
            self->state.deps.engine->start(std::move(what.asked), std::move(sink)));
  metrics().started.add();
  to->deliver(completion_started{run});
}

/// A completion without memories is better than one that is late.
void recall(self_pointer self, const run_ptr& run, promise to, start_completion what) {
  const auto& deps = self->state.deps;
  if (!deps.memory || !what.asked.recalls || !what.who)
    return ask_engine(self, run, std::move(to), std::move(what));
  auto question = question_of(what);
  if (!question)
    return ask_engine(self, run, std::move(to), std::move(what));
  const auto kept = std::make_shared<start_completion>(std::move(what));
  self->request(deps.memory, deps.memory_timeout, std::move(*question))
      .then(
          [self, run, to, kept](const memories_found& found) {
            add_memories(kept->asked, found.found);
            ask_engine(self, run, to, std::move(*kept));
          },
          [self, run, to, kept](const caf::error& why) {
            count_forgotten(from_caf(why));
            ask_engine(self, run, to, std::move(*kept));
          });
}

/// Why not, if it may not start.
[[nodiscard]] std::optional<error> refusal(const gateway_state& in,
                                           const start_completion& what) {
  const auto refuse = [](errc code, const char* why, const char* reason) {
    return error{code, why, reason, nullptr};
  };
  const auto& model = what.asked.params.model;
  if (model && !in.deps.engine->offers(*model))
    return refuse(errc::not_found, "nobody offers this model", "model_not_found");
  if (in.running.size() >= in.deps.limits.slots)
    return refuse(errc::overloaded, "too many completions on this node",
                  "too_many_completions");
  if (!what.who)
    return std::nullopt;
  const auto mine = in.of_user.find(*what.who);
  if (mine != in.of_user.end() && mine->second >= in.deps.limits.per_user)
    return refuse(errc::overloaded, "too many completions of one user",
                  "too_many_of_user");
  return std::nullopt;
}

[[nodiscard]] run_ptr take_place(self_pointer self, const start_completion& what) {
  auto& state = self->state;
  auto run = std::make_shared<completion_run>(gateway_actor{self}, size_of(what.asked));
  state.running.emplace(run->number(), gateway_state::place{what.who, 0});
  if (what.who)
    ++state.of_user[*what.who];
  metrics().running.set(static_cast<double>(state.running.size()));
  return run;
}

/// Before a model is asked. A refusal gives the place back, as all ends do.
void hold(self_pointer self, const run_ptr& run, promise to, start_completion what) {
  const auto wish = hold_usage{*what.who, tokens_in(size_of(what.asked)),
                               what.asked.params.max_tokens};
  const auto kept = std::make_shared<start_completion>(std::move(what));
  self->request(self->state.deps.meter, caf::infinite, wish)
      .then(
          [self, run, to, kept](const usage_held& held) {
            const auto place = self->state.running.find(run->number());
            if (place != self->state.running.end())
              place->second.hold = held.hold;
            recall(self, run, to, std::move(*kept));
          },
          [to](const caf::error& why) { to->deliver(why); });
}

[[nodiscard]] caf::result<completion_started> begin(self_pointer self,
                                                    start_completion what) {
  if (auto why = refusal(self->state, what))
    return to_caf(std::move(*why));
  const auto answer = self->make_response_promise<completion_started>();
  const auto to = owe(answer);
  const auto run = take_place(self, what);
  if (what.who && gateway_usage::is_asked(self->state))
    hold(self, run, to, std::move(what));
  else
    recall(self, run, to, std::move(what));
  return answer;
}

void end(self_pointer self, const completion_ended& what) {
  auto& state = self->state;
  const auto ran = state.running.extract(what.number);
  if (!ran)
    return;
  metrics().running.set(static_cast<double>(state.running.size()));
  const auto& [who, hold] = ran.mapped();
  if (!who)
    return;
  const auto mine = state.of_user.find(*who);
  if (--mine->second == 0)
    state.of_user.erase(mine);
  gateway_usage::count(self,
                       {*who, what.model, what.used, what.answered ? 1 : 0, hold});
}

[[nodiscard]] caf::result<embedded_for> embed(self_pointer self, embed_for asked) {
  const auto& deps = self->state.deps;
  if (!deps.embedder)
    return to_caf(
        {errc::unavailable, "nothing is embedded here", "no_embedder", nullptr});
  auto tokens = std::int64_t{0};
  for (const auto& one : asked.what.texts)
    tokens += static_cast<std::int64_t>(engines::estimated_tokens(one));
  const auto answer = self->make_response_promise<embedded_for>();
  const auto to = owe(answer);
  self->request(deps.embedder, caf::infinite, std::move(asked.what))
      .then(
          [self, to, tokens, who = asked.who](texts_embedded& made) {
            if (who)
              gateway_usage::count(
                  self,
                  {*who, self->state.deps.embedding_model, {tokens, 0, true}, 0, 0});
            to->deliver(embedded_for{std::move(made.vectors), tokens});
          },
          [to](const caf::error& why) { to->deliver(why); });
  return answer;
}

} // namespace

gateway_actor::behavior_type gateway(self_pointer self, gateway_deps deps) {
  guard(self, "GATEWAY");
  self->state.deps = std::move(deps);
  return {
      [self](start_completion& what) { return begin(self, std::move(what)); },
      [self](const completion_ended& what) { end(self, what); },
      [self](embed_for& what) { return embed(self, std::move(what)); },
      [self](list_models) { return models_listed{self->state.deps.engine->models()}; },
      [self](count_again) { gateway_usage::count_again_now(self); },
  };
}

} // namespace jessica::actors
