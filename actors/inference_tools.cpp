#include "actors/errors.hpp"
#include "actors/inference_steps.hpp"
#include "wire/tool_json.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <format>
#include <optional>
#include <utility>

namespace jessica::actors::inference_steps {
namespace {

/// A tool that both lists name, where there are two.
[[nodiscard]] bool is_allowed(const prompt& asked, const std::string& name) {
  const auto names = [&](const std::optional<std::vector<std::string>>& only) {
    return !only || std::ranges::contains(*only, name);
  };
  return names(asked.only_tools) && names(asked.params.tools);
}

/// Members tell a reply's calls by their ids; servers may use them again in each round.
void name_apart(tool_call& call, const std::vector<tool_outcome>& known) {
  const auto is_taken = [&](const std::string& id) {
    return std::ranges::any_of(known,
                               [&](const auto& one) { return one.call.id == id; });
  };
  const auto first = call.id;
  for (auto i = std::size_t{2}; is_taken(call.id); ++i)
    call.id = std::format("{}-{}", first, i);
}

[[nodiscard]] std::size_t repeats_of(const inference_state::tool_work& work,
                                     std::size_t call) {
  const auto& what = work.calls[call].call;
  return static_cast<std::size_t>(std::ranges::count_if(
      work.calls.begin(), work.calls.begin() + static_cast<std::ptrdiff_t>(call),
      [&](const auto& one) {
        return one.call.name == what.name && one.call.arguments == what.arguments;
      }));
}

void tell_ended(self_pointer self, const tool_outcome& what) {
  tell_aside(self, "reply.tool", wire::reply_tool_ended(ref_of(self->state), what));
}

/// What was said here needs no looking up: the engine has it before it.
void drop_shown(std::vector<found_memory>& found, const prompt& asked, std::size_t k) {
  std::erase_if(found, [&](const auto& one) {
    return std::ranges::contains(asked.turns, one.message, &past_turn::id);
  });
  if (found.size() > k)
    found.resize(k);
}

void search_memories(self_pointer self, std::size_t call) {
  auto& state = self->state;
  const auto began = self->clock().now();
  const auto end = [self, call, began](std::string result, bool failed) {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        self->clock().now() - began);
    auto done = tool_ended{call, {{}, std::move(result), failed, took}};
    take_outcome(self, done);
  };
  auto question = wire::read_memory_call(state.work.calls[call].call.arguments);
  if (!question)
    return end(std::move(question.error().what), true);
  const auto k = question->k;
  question->k += state.work.asked.turns.size(); // some of which may be found
  self->request(state.deps.memory, state.deps.tools.patience,
                search_memory{{state.what.user, nullptr}, std::move(*question)})
      .then(
          [self, end, k](memories_found& found) {
            drop_shown(found.found, self->state.work.asked, k);
            end(wire::memory_result(found.found), false);
          },
          [end](const caf::error& why) {
            end("the tool failed: " + from_caf(why).what, true);
          });
}

void begin_call(self_pointer self, std::size_t call) {
  auto& state = self->state;
  auto& work = state.work;
  const auto& what = work.calls[call].call;
  tell_aside(self, "reply.tool", wire::reply_tool_begun(ref_of(state), what));
  if (!std::ranges::contains(work.asked.tools, what.name, &tool::name)) {
    auto unknown = tool_ended{call, {{}, "there is no such tool", true, {}}};
    return take_outcome(self, unknown);
  }
  if (what.name == wire::memory_tool().name)
    return search_memories(self, call);
  work.running.push_back(state.deps.tools.runner->start(
      {what, state.what.user, state.what.conversation, state.what.reply,
       repeats_of(work, call)},
      [me = inference_actor{self}, call](tool_outcome outcome) {
        caf::anon_send(me, tool_ended{call, std::move(outcome)});
      }));
}

/// As many as may be under way. A call may end while it begins.
void begin_calls(self_pointer self) {
  auto& state = self->state;
  auto& work = state.work;
  while (!state.over && work.begun < work.calls.size() &&
         work.begun - (work.calls.size() - work.left) < state.deps.tools.at_once)
    begin_call(self, work.begun++);
}

/// The engine goes on with what the tools said; after the last round it has to.
void ask_again(self_pointer self) {
  auto& state = self->state;
  auto& work = state.work;
  work.running.clear();
  ++work.rounds;
  auto asked = std::exchange(work.asked, {});
  auto said = past_turn{"assistant",
                        std::exchange(asked.so_far, {}) + state.text.substr(work.from)};
  auto results = std::vector<past_turn>{};
  for (auto i = work.round; i < work.calls.size(); ++i) {
    const auto& one = work.calls[i];
    said.calls.push_back(one.call);
    results.push_back({"tool", one.result, {}, {}, one.call.id});
  }
  asked.turns.push_back(std::move(said));
  std::ranges::move(results, std::back_inserter(asked.turns));
  if (work.rounds >= state.deps.tools.rounds)
    asked.tools.clear();
  generate(self, std::move(asked));
}

} // namespace

void offer_tools(const inference_state& state, prompt& to) {
  const auto& tools = state.deps.tools;
  if (tools.rounds == 0)
    return;
  const auto offer = [&](const tool& one) {
    if (is_allowed(to, one.name))
      to.tools.push_back(one);
  };
  if (tools.search_memory && state.deps.memory && to.recalls)
    offer(wire::memory_tool());
  if (tools.runner)
    for (const auto& one : tools.runner->tools())
      offer(one);
}

void call_tools(self_pointer self, engines::tools_called what) {
  auto& state = self->state;
  auto& work = state.work;
  tell_thoughts(self);
  if (work.asked.tools.empty()) // it was offered none
    return take_end(self, {"tool_calls", what.used});
  work.used = all_used(state, what.used);
  work.round = work.begun = work.calls.size();
  work.left = what.calls.size();
  for (auto& one : what.calls) {
    name_apart(one, work.calls);
    work.calls.push_back({std::move(one), "the reply was stopped", true, {}});
  }
  begin_calls(self);
}

void take_outcome(self_pointer self, tool_ended& what) {
  auto& state = self->state;
  auto& work = state.work;
  if (state.over)
    return;
  auto& kept = work.calls.at(what.call);
  kept.result = std::move(what.what.result);
  kept.failed = what.what.failed;
  kept.took = what.what.took;
  tell_ended(self, kept);
  if (--work.left == 0)
    ask_again(self);
  else
    begin_calls(self);
}

void part_texts(inference_state& state, std::string_view next) {
  const auto& work = state.work;
  if (work.rounds > 0 && work.from == state.text.size() && !state.text.empty() &&
      !state.text.ends_with('\n') && !next.starts_with('\n')) {
    state.text += "\n\n";
    state.work.from = state.text.size();
  }
}

usage all_used(const inference_state& state, const usage& last) {
  const auto& before = state.work.used;
  return {before.prompt_tokens + last.prompt_tokens,
          before.completion_tokens + last.completion_tokens,
          before.estimated || last.estimated};
}

} // namespace jessica::actors::inference_steps
