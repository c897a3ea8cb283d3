#include "bench/load/queue_lanes.hpp"

#include <algorithm>
#include <atomic>
#include <latch>
#include <thread>
#include <utility>

namespace jessica::bench {

using clock = std::chrono::steady_clock;

result<lanes> connect(const storage::endpoint& where, std::string_view role,
                      std::size_t count) {
  auto made = lanes{};
  for (auto i = std::size_t{0}; i < count; ++i)
    if (auto open = made.emplace_back(where, role).ensure(); !open)
      return std::unexpected{std::move(open.error())};
  return made;
}

result<std::chrono::nanoseconds>
side_by_side(lanes& on, const std::function<result<void>(storage::connection&)>& work) {
  auto there = std::latch{static_cast<std::ptrdiff_t>(on.size()) + 1};
  auto outcomes = std::vector<result<void>>(on.size());
  auto begun = clock::time_point{};
  {
    auto threads = std::vector<std::jthread>{};
    for (auto i = std::size_t{0}; i < on.size(); ++i)
      threads.emplace_back([&, i] {
        there.arrive_and_wait();
        outcomes[i] = work(on[i]);
      });
    // Before the last thread can go on.
    begun = clock::now();
    there.arrive_and_wait();
  }
  const auto took = clock::now() - begun;
  for (auto& one : outcomes)
    if (!one)
      return std::unexpected{std::move(one.error())};
  return took;
}

result<std::chrono::nanoseconds> share_out(lanes& on, std::size_t items,
                                           std::size_t size, const batch_work& batch) {
  auto next = std::atomic{std::size_t{0}};
  return side_by_side(on, [&](storage::connection& db) -> result<void> {
    for (auto from = next.fetch_add(size); from < items; from = next.fetch_add(size))
      if (auto done = batch(db, from, std::min(items, from + size)); !done)
        return done;
    return {};
  });
}

} // namespace jessica::bench
