#include "bench/load/rest_floor.hpp"

#include "bench/load/queue_cost.hpp"
#include "bench/load/queue_lanes.hpp"
#include "storage/act_as.hpp"

#include <array>
#include <mutex>
#include <utility>

namespace jessica::bench {

using clock = std::chrono::steady_clock;

result<floor_score> run_floor(const storage::endpoint& where, pid_t postmaster,
                              std::size_t count, std::chrono::milliseconds length,
                              bool writes, const next_work& next) {
  auto open = connect(where, storage::role::requests, count);
  if (!open)
    return std::unexpected{std::move(open.error())};
  auto score = floor_score{};
  auto lock = std::mutex{};
  const auto both = cost_meter{postmaster};
  const auto postgres = postgres_cpu(postmaster);
  const auto end = clock::now() + length;
  const auto mode = writes ? storage::access::read_write : storage::access::read_only;
  const auto took = side_by_side(*open, [&](storage::connection& db) -> result<void> {
    const auto lane = static_cast<std::size_t>(&db - open->data());
    auto waited = std::vector<clock::duration>{};
    while (clock::now() < end) {
      auto work = next(lane, waited.size());
      const auto begun = clock::now();
      const auto got =
          db.run(std::array{storage::act_as(work.who, mode), std::move(work.what)});
      if (!got)
        return std::unexpected{got.error()};
      waited.push_back(clock::now() - begun);
    }
    const auto hold = std::lock_guard{lock};
    for (const auto one : waited)
      score.waited.record(one);
    score.done += waited.size();
    return {};
  });
  if (!took)
    return std::unexpected{took.error()};
  score.took = *took;
  score.postgres = postgres_cpu(postmaster) - postgres;
  score.client = both.took() - score.postgres;
  return score;
}

} // namespace jessica::bench
