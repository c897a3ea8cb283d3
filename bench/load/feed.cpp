#include "bench/load/histogram.hpp"
#include "bench/load/queue_database.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/servers.hpp"
#include "ops/log.hpp"
#include "storage/wal_stream.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

/// When each commit was acknowledged, and when its event came out of the decoder.
struct marks {
  explicit marks(std::size_t count) : committed(count), seen(count) {}

  std::vector<std::atomic<clock::rep>> committed;
  std::vector<std::atomic<clock::rep>> seen;
};

[[nodiscard]] clock::rep now() {
  return clock::now().time_since_epoch().count();
}

/// One row a commit, one after the other, with pauses when there shall be any.
[[nodiscard]] result<void> write(const storage::endpoint& where, marks& into,
                                 std::chrono::microseconds pause) {
  auto db = storage::connection{where, storage::role::migrations};
  for (auto n = std::size_t{0}; n < into.committed.size(); ++n) {
    auto stored =
        db.run({"update public.conversations set title = $1 "
                "where id = (select id from public.conversations order by id limit 1)",
                {std::to_string(n)}});
    if (!stored)
      return std::unexpected{std::move(stored.error())};
    into.committed[n].store(now());
    std::this_thread::sleep_for(pause);
  }
  return {};
}

void note(const storage::feed_piece& piece, marks& into) {
  const auto at = now();
  for (const auto& event : piece.events) {
    const auto* const change = std::get_if<storage::row_change>(&event);
    const auto title = change ? change->row().text("title") : std::nullopt;
    if (!title)
      continue;
    auto n = into.seen.size();
    std::from_chars(title->data(), title->data() + title->size(), n);
    if (n < into.seen.size())
      into.seen[n].store(at);
  }
}

[[nodiscard]] result<round> run_round(const storage::endpoint& where,
                                      std::size_t commits,
                                      std::chrono::microseconds pause) {
  constexpr auto silence = std::chrono::seconds{5};
  auto stream = storage::wal_stream::open(where, {.node = "bench"});
  if (!stream)
    return std::unexpected{std::move(stream.error())};
  if (auto begun = stream->start(); !begun)
    return std::unexpected{std::move(begun.error())};
  auto all = marks{commits};
  auto written = result<void>{};
  auto writer = std::jthread{[&] { written = write(where, all, pause); }};
  while (all.seen.back().load() == 0) {
    const auto piece = stream->next(silence);
    if (!piece)
      return std::unexpected{piece.error()};
    if (!*piece)
      break;
    note(**piece, all);
  }
  writer.join();
  if (!written)
    return std::unexpected{written.error()};
  auto delay = histogram{};
  auto missing = 0.0;
  for (auto n = std::size_t{0}; n < commits; ++n) {
    if (all.seen[n].load() == 0)
      ++missing;
    else // an event may even come before the writer hears of its commit
      delay.record(std::chrono::nanoseconds{
          std::max(clock::rep{0}, all.seen[n].load() - all.committed[n].load())});
  }
  auto values = round{};
  add_percentiles(values, "commit to event", delay, {50, 95, 99});
  values.push_back({"events missing", "", missing, true});
  return values;
}

} // namespace

result<findings> run_feed(const settings& how) {
  constexpr auto commits = std::size_t{2000};
  constexpr auto pause = std::chrono::microseconds{500};
  ops::open_log("warn");
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  auto db = queue_database::open(home->path());
  if (!db)
    return std::unexpected{std::move(db.error())};
  if (auto warm = run_round(db->where(), commits, pause); !warm)
    return std::unexpected{std::move(warm.error())};
  auto found = findings{"feed",
                        {{"commits", std::to_string(commits)},
                         {"pause between them", std::to_string(pause.count()) + " us"}},
                        {}};
  return hold_rounds(std::move(found), how.rounds, [&](std::size_t) {
    return run_round(db->where(), commits, pause);
  });
}

} // namespace jessica::bench
