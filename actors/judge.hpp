// JUDGE: who may do what on a private topic. See protocol.hpp for the promises.
#pragma once

#include "actors/protocol.hpp"
#include "storage/endpoint.hpp"
#include "storage/topic_judge.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace jessica::actors {

using judgements = std::vector<result<storage::topic_rights>>;

/// Judges all questions in one go, one answer each, in order; blocking.
using judge_topics =
    std::function<judgements(std::span<const storage::topic_question>)>;

/// By the policies of this database, over a connection of its own.
[[nodiscard]] judge_topics judge_on(storage::endpoint where);

struct judge_deps {
  judge_topics ask;
  std::size_t queue_limit = 4096; ///< questions that may wait; more are overloaded
};

struct judge_state {
  struct question {
    probe_topic what;
    caf::typed_response_promise<storage::topic_rights> asker;
  };

  judge_state() = default;
  judge_state(judge_state&&) = delete;
  /// Who still waits is told: unavailable.
  ~judge_state();

  judge_deps deps;
  std::deque<question> waiting; ///< those of the batch under way first
};

judge_actor::behavior_type judge(judge_actor::stateful_pointer<judge_state> self,
                                 judge_deps deps);

} // namespace jessica::actors
