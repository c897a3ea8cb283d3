// SEARCH: one shard of the node's vectors. See memory_messages.hpp.
#pragma once

#include "actors/memory_messages.hpp"
#include "actors/memory_shard.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <unordered_set>

namespace jessica::actors {

struct search_deps {
  shard_options shard;
  filer_actor filer; ///< null: nothing is written but at the end
  std::chrono::milliseconds save_every{300'000};
  std::size_t save_after = 50'000;  ///< changes
  std::size_t most_waiting = 1'000; ///< searches for a place or a user
};

struct search_state {
  struct waiting {
    find_pieces what;
    std::chrono::steady_clock::time_point until;
    caf::typed_response_promise<pieces_found> asker;
  };

  search_state() = default;
  search_state(search_state&&) = delete;
  /// Writes what is not written, unless it may be half changed.
  ~search_state();

  search_deps deps;
  std::unique_ptr<memory_shard> shard;
  indexer_actor indexer;
  std::deque<waiting> parked;
  std::unordered_set<user_id> asked_for; ///< users that INDEXER brings
  bool saving = false;
  index::index_size shown; ///< what the gauges count of us
  bool looks = false;      ///< a look_at_waiting is under way
  bool works = false;      ///< a work_on is
  bool damaged = false;    ///< something was thrown while the shard changed
};

search_actor::behavior_type search(search_actor::stateful_pointer<search_state> self,
                                   search_deps deps);

/// FILER: see memory_messages.hpp.
filer_actor::behavior_type filer(filer_actor::pointer self);

} // namespace jessica::actors
