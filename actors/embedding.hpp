// EMBEDDING: messages become vectors, in the background. See embedding_messages.hpp.
#pragma once

#include "actors/embedding_messages.hpp"
#include "actors/text_desk.hpp"
#include "engines/embedder.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace jessica::actors {

struct embedding_deps {
  std::shared_ptr<const engines::embedder> embedder;
  std::function<std::unique_ptr<text_desk>()> open_desk;
  /// What this process chose when it began; outlives the actor, so that one that is
  /// started again does not take the choice back from a node that chose later.
  std::shared_ptr<std::optional<storage::model_number>> model;
  std::size_t run = 16; ///< pieces that the embedder gets at once
};

struct embedding_state {
  embedding_deps deps;
  std::unique_ptr<text_desk> desk;
  bool going = false;      ///< embed_on is on its way
  bool look_again = false; ///< a last look is due
  storage::old_texts old = storage::old_texts::more;
  bool swept = false; ///< nothing is left of other models
  /// Texts that could not be stored when they should, by seq: how long they wait.
  std::map<std::int64_t, std::chrono::milliseconds> busy;
  std::chrono::milliseconds pause{0};
  std::chrono::steady_clock::time_point paused_until;
  std::optional<std::chrono::steady_clock::time_point> counted;
};

/// Fresh texts first, then old ones, then what is left of other models. While the
/// embedder or the database does not work, or another model is used, it waits, up to
/// half a minute; no attempt is counted then.
embedding_actor::behavior_type
embedding(embedding_actor::stateful_pointer<embedding_state> self, embedding_deps deps);

} // namespace jessica::actors
