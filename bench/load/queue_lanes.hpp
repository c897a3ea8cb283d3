// Connections that work side by side, a thread each.
#pragma once

#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

namespace jessica::bench {

using lanes = std::vector<storage::connection>;

[[nodiscard]] result<lanes> connect(const storage::endpoint& where,
                                    std::string_view role, std::size_t count);

/// Calls `work` on every lane at once; how long it took from the moment all threads
/// were there until the last was done.
[[nodiscard]] result<std::chrono::nanoseconds>
side_by_side(lanes& on, const std::function<result<void>(storage::connection&)>& work);

/// Calls `batch` for ranges [from, to) of at most `size` that cover [0, items), each
/// lane the next one when it is free; how long it took.
using batch_work =
    std::function<result<void>(storage::connection&, std::size_t from, std::size_t to)>;
[[nodiscard]] result<std::chrono::nanoseconds>
share_out(lanes& on, std::size_t items, std::size_t size, const batch_work& batch);

} // namespace jessica::bench
