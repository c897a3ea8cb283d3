// How the settings share the index out: how many parts, and the file of each, which
// several may want to write.
#pragma once

#include "actors/memory_shard.hpp"
#include "config/settings.hpp"
#include "domain/error.hpp"

#include <cstddef>
#include <filesystem>

namespace jessica::actors {

[[nodiscard]] std::size_t shard_count(const config::memory_settings& of);

/// Of part `shard`, from 0; model and dimensions are left open.
[[nodiscard]] shard_options shard_options_of(const config::settings& of,
                                             std::size_t shard);

/// vector_index::write() into a folder that is made when it is missing, and never two
/// at once: nodes may share their directory, and a SEARCH that ends writes beside
/// FILER. Removes the files of other counts of shards: nobody reads those again.
/// Blocks, some seconds at most for another writer. Fails: unavailable.
[[nodiscard]] result<void> write_shard(const index::vector_index::snapshot& what,
                                       const std::filesystem::path& file);

} // namespace jessica::actors
