// MEMORY: answers questions about a user's messages. See memory_messages.hpp.
#pragma once

#include "actors/embedding_messages.hpp"
#include "actors/memory_messages.hpp"
#include "actors/protocol.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace jessica::actors {

struct memory_limits {
  std::size_t queue = 1024;             ///< questions at once; more are overloaded
  std::chrono::milliseconds wait{5000}; ///< for the log to come to a place
  std::chrono::milliseconds patience{10'000}; ///< of each other step
  std::size_t prompt_memories = 5;
  std::size_t prompt_tokens = 600; ///< all of a prompt's memories together, about
};

struct memory_deps {
  std::vector<search_actor> shards; ///< at least one
  memory_reader_actor readers;
  embedder_actor embedder;   ///< null: only vectors can be searched with
  std::string model;         ///< the embedder's
  float match_threshold = 0; ///< least cosine of texts that mean the same
  indexer_actor indexer;     ///< hears of places that are waited for; or null
  memory_limits limits;
};

struct memory_state {
  memory_deps deps;
  std::size_t running = 0;
};

memory_actor::behavior_type memory(memory_actor::stateful_pointer<memory_state> self,
                                   memory_deps deps);

/// Of what was found, best first, what a prompt has room for: texts that say the same
/// count once, what is `shown` anyway not at all.
[[nodiscard]] std::vector<found_memory>
choose_for_prompt(std::vector<found_memory> found, const std::vector<message_id>& shown,
                  const memory_limits& limits);

} // namespace jessica::actors
