// EMBEDDER: vectors for whoever waits for them. See embedding_messages.hpp.
#pragma once

#include "actors/embedding_messages.hpp"
#include "engines/embedder.hpp"
#include "storage/connection.hpp"
#include "storage/endpoint.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace jessica::actors {

struct embedder_deps {
  std::shared_ptr<const engines::embedder> embedder;
  storage::endpoint database;
  std::string node;
  std::size_t run = 16; ///< pieces of a message that the embedder gets at once
};

struct embedder_state {
  embedder_deps deps;
  std::unique_ptr<storage::connection> requests; ///< asks row security
  std::unique_ptr<storage::connection> engine;
};

text_embedder_actor::behavior_type
embedder(text_embedder_actor::stateful_pointer<embedder_state> self,
         embedder_deps deps);

/// One address for both kinds of work: a message takes as long as it is long, and must
/// not stand before the texts that searches wait for.
text_embedder_actor::behavior_type embedder_lanes(text_embedder_actor::pointer self,
                                                  text_embedder_actor texts,
                                                  text_embedder_actor messages);

} // namespace jessica::actors
