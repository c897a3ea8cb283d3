#include "actors/judge.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "storage/connection.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = judge_actor::stateful_pointer<judge_state>;

/// One round trip; more wait for the next.
constexpr auto most_at_once = std::size_t{64};

void answer_one(judge_state& state, result<storage::topic_rights> found) {
  auto asker = std::move(state.waiting.front().asker);
  state.waiting.pop_front();
  if (found)
    asker.deliver(*found);
  else
    asker.deliver(to_caf(std::move(found.error())));
}

void answer_batch(judge_state& state) {
  const auto size = std::min(state.waiting.size(), most_at_once);
  auto asked = std::vector<storage::topic_question>{};
  asked.reserve(size);
  for (auto i = std::size_t{0}; i < size; ++i) {
    const auto& one = state.waiting[i].what;
    asked.push_back({one.who.get(), one.topic});
  }
  for (auto& found : state.deps.ask(asked))
    answer_one(state, std::move(found));
}

} // namespace

judge_topics judge_on(storage::endpoint where) {
  auto db =
      std::make_shared<storage::connection>(std::move(where), storage::role::requests);
  auto policies = std::make_shared<storage::topic_judge>();
  return [db, policies](std::span<const storage::topic_question> asked) {
    return policies->rights_of(*db, asked);
  };
}

judge_state::~judge_state() {
  for (auto& one : waiting)
    one.asker.deliver(
        to_caf({errc::unavailable, "who asks the policies failed", {}, nullptr}));
}

judge_actor::behavior_type judge(self_pointer self, judge_deps deps) {
  guard(self, "JUDGE");
  self->state.deps = std::move(deps);
  return {
      [self](probe_topic& what) -> caf::result<storage::topic_rights> {
        auto& state = self->state;
        if (state.waiting.size() >= state.deps.queue_limit)
          return to_caf({errc::overloaded, "too many joins wait", {}, nullptr});
        auto asker = self->make_response_promise<storage::topic_rights>();
        state.waiting.push_back({std::move(what), asker});
        if (state.waiting.size() == 1)
          self->send(self, judge_batch{}); // behind the questions that are here already
        return asker;
      },
      [self](judge_batch) {
        answer_batch(self->state);
        if (!self->state.waiting.empty())
          self->send(self, judge_batch{});
      },
  };
}

} // namespace jessica::actors
