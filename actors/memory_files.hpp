// How the settings share the index out: how many parts, and the file of each.
#pragma once

#include "actors/memory_shard.hpp"
#include "config/settings.hpp"

#include <cstddef>

namespace jessica::actors {

[[nodiscard]] std::size_t shard_count(const config::memory_settings& of);

/// Of part `shard`, from 0; model and dimensions are left open.
[[nodiscard]] shard_options shard_options_of(const config::settings& of,
                                             std::size_t shard);

} // namespace jessica::actors
