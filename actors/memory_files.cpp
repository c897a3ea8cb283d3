#include "actors/memory_files.hpp"

#include <algorithm>
#include <format>
#include <thread>

namespace jessica::actors {

std::size_t shard_count(const config::memory_settings& of) {
  return of.shards > 0 ? of.shards : std::max(1U, std::thread::hardware_concurrency());
}

shard_options shard_options_of(const config::settings& of, std::size_t shard) {
  const auto& set = of.memory;
  const auto count = shard_count(set);
  auto how = shard_options{};
  how.index.form =
      set.form == "int8" ? index::vector_form::int8 : index::vector_form::float32;
  how.index.graph_from = set.graph_from;
  how.index.budget_bytes = (set.budget_mb << 20U) / count;
  how.file =
      of.storage.directory / "index" / std::format("shard-{}-of-{}", shard + 1, count);
  return how;
}

} // namespace jessica::actors
