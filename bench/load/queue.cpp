#include "bench/load/queue_batches.hpp"
#include "bench/load/queue_crew.hpp"
#include "bench/load/queue_peers.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/servers.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>

namespace jessica::bench {
namespace {

struct contender {
  std::string name;
  std::function<result<queue_score>()> run;
};

/// Those that are compared with each other.
namespace row {
constexpr auto batches_100 = std::string_view{"jessica, 100 a claim"};
constexpr auto batches_500 = std::string_view{"jessica, 500 a claim"};
constexpr auto born_leased = std::string_view{"jessica, born leased, 500"};
constexpr auto crew = std::string_view{"jessica, one by one"};
constexpr auto graphile = std::string_view{"graphile-worker, local queue 500"};
constexpr auto graphile_single = std::string_view{"graphile-worker, one by one"};
constexpr auto boss_100 = std::string_view{"pg-boss, 100 a fetch"};
constexpr auto boss_1000 = std::string_view{"pg-boss, 1000 a fetch"};
constexpr auto boss_single = std::string_view{"pg-boss, one by one"};
} // namespace row

constexpr auto few_connections = std::size_t{4};

[[nodiscard]] std::vector<contender> ours(queue_database& db, const settings& how) {
  const auto batches = [&db](std::string_view name, queue_work what) {
    return contender{std::string{name}, [&db, what] { return run_batches(db, what); }};
  };
  const auto crew = [&](std::string name, std::size_t workers) {
    return contender{std::move(name), [&db, &how, workers] {
                       return run_crew(db, how.single_jobs, workers);
                     }};
  };
  return {
      batches(row::batches_100, {how.jobs, 100, 2, false}),
      batches(row::batches_500, {how.jobs, 500, 2, false}),
      batches(row::born_leased, {how.jobs, 500, 2, true}),
      crew(std::string{row::crew}, how.workers),
      crew("jessica, 10 times the workers", 10 * how.workers),
      batches("jessica, one by one, not grouped",
              {how.single_jobs, 1, few_connections, false}),
  };
}

[[nodiscard]] std::vector<contender> peers(const queue_database& db,
                                           const settings& how,
                                           const std::filesystem::path& home) {
  const auto graphile = "queue_graphile.mjs";
  const auto boss = "queue_pgboss.mjs";
  constexpr auto graphile_workers = std::size_t{24};
  const auto peer = [&](std::string_view name, peer_work what) {
    return contender{std::string{name},
                     [&db, &how, home, what] { return run_peer(how, db, home, what); }};
  };
  return {
      peer(row::graphile, {graphile, how.jobs, 500, graphile_workers}),
      peer(row::graphile_single, {graphile, how.single_jobs, 1, how.workers}),
      peer("graphile-worker, 10 times the workers",
           {graphile, how.single_jobs, 1, 10 * how.workers}),
      peer(row::boss_100, {boss, how.jobs, 100, 2}),
      peer(row::boss_1000, {boss, how.jobs, 1000, 2}),
      peer(row::boss_single, {boss, how.single_jobs, 1, few_connections}),
  };
}

using scores = std::map<std::string_view, queue_score>;

/// Of jobs a second; and of processor time, where less is better.
void add_ratios(round& to, const scores& all) {
  const auto versus = [&](const std::string& name, const queue_score& ours,
                          const std::vector<std::string_view>& others) {
    auto rate = 0.0;
    auto cost = std::numeric_limits<double>::infinity();
    for (const auto other : others) {
      rate = std::max(rate, all.at(other).processed);
      cost = std::min(cost, all.at(other).cost);
    }
    to.push_back({name + ", rate", "", ours.processed / rate});
    to.push_back({name + ", processor time", "", ours.cost / cost});
  };
  const auto batches =
      std::vector<std::string_view>{row::graphile, row::boss_100, row::boss_1000};
  versus("one by one / graphile-worker", all.at(row::crew), {row::graphile_single});
  versus("100 a claim / better peer", all.at(row::batches_100), batches);
  versus("500 a claim / better peer", all.at(row::batches_500), batches);
  versus("born leased / better peer", all.at(row::born_leased), batches);
}

/// `first` begins; who comes later goes on a machine in another state.
[[nodiscard]] result<round> run_round(queue_database& db, const settings& how,
                                      const std::vector<contender>& all,
                                      std::size_t first) {
  auto scored = scores{};
  for (auto i = std::size_t{0}; i < all.size(); ++i) {
    const auto& who = all[(first + i) % all.size()];
    const auto score = who.run();
    if (!score)
      return fail(score.error().code, who.name + ": " + score.error().what);
    scored.emplace(who.name, *score);
  }
  const auto bare = run_bare_inserts(db, how.jobs);
  if (!bare)
    return std::unexpected{bare.error()};
  auto values = round{};
  for (const auto& who : all)
    values.push_back({who.name, "1/s", scored.at(who.name).processed});
  for (const auto& who : all)
    values.push_back({who.name + ", a job", "us", scored.at(who.name).cost});
  add_ratios(values, scored);
  values.push_back(
      {"enqueue: message, reply and job", "1/s", scored.at(row::batches_500).enqueued});
  values.push_back(
      {"enqueue: born leased, the same", "1/s", scored.at(row::born_leased).enqueued});
  values.push_back({"enqueue: job alone", "1/s", *bare});
  values.push_back(
      {"enqueue: graphile-worker", "1/s", scored.at(row::graphile).enqueued});
  values.push_back({"enqueue: pg-boss", "1/s", scored.at(row::boss_1000).enqueued});
  auto faults = std::uint64_t{0};
  for (const auto& [name, score] : scored)
    faults += score.faults;
  values.push_back(
      {"jobs lost, repeated or left over", "", static_cast<double>(faults), true});
  return values;
}

} // namespace

result<findings> run_queue(const settings& how) {
  ops::open_log("warn");
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  auto db = queue_database::open(home->path());
  if (!db)
    return std::unexpected{std::move(db.error())};
  auto all = ours(*db, how);
  for (auto& one : peers(*db, how, home->path()))
    all.push_back(std::move(one));
  if (auto warm = run_round(*db, how, all, 0); !warm)
    return std::unexpected{std::move(warm.error())};
  auto found = findings{"queue",
                        {{"jobs, in batches", std::to_string(how.jobs)},
                         {"jobs, one by one", std::to_string(how.single_jobs)},
                         {"workers, one by one", std::to_string(how.workers)}},
                        {}};
  return hold_rounds(std::move(found), how.rounds,
                     [&](std::size_t i) { return run_round(*db, how, all, i); });
}

} // namespace jessica::bench
