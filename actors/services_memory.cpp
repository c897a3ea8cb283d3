#include "actors/embedder.hpp"
#include "actors/embedding.hpp"
#include "actors/indexer.hpp"
#include "actors/memory.hpp"
#include "actors/memory_files.hpp"
#include "actors/memory_reader.hpp"
#include "actors/search.hpp"
#include "actors/services.hpp"

#include <optional>

namespace jessica::actors {
namespace {

void start_embedding(service_roll& roll, const system_options& options,
                     memory_services& made) {
  const auto& limits = options.settings.embedding;
  const auto how =
      embedder_deps{options.embedder, options.database, options.node, limits.batch};
  made.texts =
      roll.pooled("EMBEDDER", limits.query_threads, limits.query_queue, embedder, how);
  const auto messages =
      roll.pooled("EMBEDDER of messages", 1, limits.query_queue, embedder, how);
  made.embedder = roll.scheduled("EMBEDDERS", embedder_lanes, made.texts, messages);
  const auto texts = text_desk_options{options.database, options.node, limits.batch};
  made.embedding = roll.threaded(
      "EMBEDDING", embedding,
      embedding_deps{options.embedder, [texts] { return open_text_desk(texts); },
                     std::make_shared<std::optional<storage::model_number>>(),
                     limits.batch});
}

/// What holds the embeddings, and what keeps it equal to the table.
void start_searches(service_roll& roll, const system_options& options,
                    memory_services& made) {
  const auto& set = options.settings.memory;
  const auto writer = roll.threaded("FILER", filer);
  for (auto i = std::size_t{0}; i < shard_count(set); ++i)
    made.searches.push_back(
        roll.threaded("SEARCH", search,
                      search_deps{shard_options_of(options.settings, i), writer,
                                  set.save_every, set.save_after, set.queue}));
  made.indexer = roll.threaded_anew(
      "INDEXER", indexer, [database = options.database, searches = made.searches] {
        return indexer_deps{embeddings_of(database), searches};
      });
}

[[nodiscard]] memory_limits limits_of(const config::memory_settings& set) {
  auto limits = memory_limits{};
  limits.queue = set.queue;
  limits.wait = set.wait;
  limits.prompt_memories = set.prompt_memories;
  limits.prompt_tokens = set.prompt_tokens;
  return limits;
}

} // namespace

memory_services start_memory(service_roll& roll, const system_options& options) {
  const auto& set = options.settings.memory;
  auto made = memory_services{};
  if (options.embedder)
    start_embedding(roll, options, made);
  start_searches(roll, options, made);
  const auto texts = roll.pooled("MEMORY READER", set.readers, set.queue, memory_reader,
                                 memory_reader_options{options.database, set.language});
  auto deps =
      memory_deps{made.searches, texts, {}, {}, 0, made.indexer, limits_of(set)};
  if (options.embedder) {
    deps.embedder = caf::actor_cast<embedder_actor>(made.texts);
    deps.model = options.embedder->traits().id;
    deps.match_threshold = options.embedder->traits().match_threshold;
  }
  made.memory = roll.scheduled("MEMORY", memory, deps);
  return made;
}

} // namespace jessica::actors
