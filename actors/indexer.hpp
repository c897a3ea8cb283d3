// INDEXER: keeps the SEARCH shards equal to the table. See memory_messages.hpp.
#pragma once

#include "actors/embedding_source.hpp"
#include "actors/memory_messages.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

namespace jessica::actors {

struct indexer_deps {
  embedding_source source;
  std::vector<search_actor> shards;
  std::size_t fetch_rows = 500; ///< of one question
};

struct indexer_state {
  indexer_deps deps;
  std::optional<memory_model> model;
  bool following = false;       ///< a feed tells us what is written
  changefeed_actor feed;        ///< that one
  lsn position;                 ///< all before it was handed to the shards
  std::uint64_t comparison = 0; ///< answers to an older one are not heard
  std::vector<std::deque<embedding_id>> missing; ///< of each shard
  std::vector<bool> matched;                     ///< in this comparison
  std::size_t putting = 0;                       ///< lots under way to the shards
  bool fetches = false;                          ///< a fetch_more is under way
  std::deque<std::uint32_t> seen; ///< transactions whose rows came by the log, lately
  bool looks = false;             ///< a look_again is under way
  std::chrono::milliseconds pause{0};
};

indexer_actor::behavior_type
indexer(indexer_actor::stateful_pointer<indexer_state> self, indexer_deps deps);

} // namespace jessica::actors
