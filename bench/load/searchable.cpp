#include "bench/load/histogram.hpp"
#include "bench/load/memory_world.hpp"
#include "bench/load/scenarios.hpp"
#include "domain/ids.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <format>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

/// As PostgreSQL keeps time, to compare with its rows.
using clock = std::chrono::system_clock;

constexpr auto give_up_after = std::chrono::seconds{10};

struct message {
  std::string id;
  std::string text;
  std::string question; ///< a search that finds it first
  std::atomic<clock::rep> committed = 0;
  clock::time_point found;
};

struct pace {
  std::string name;
  std::chrono::milliseconds every;
};

[[nodiscard]] clock::time_point point(clock::rep since) {
  return clock::time_point{clock::duration{since}};
}

/// Texts that nobody wrote before, each with its own vector.
[[nodiscard]] result<void> prepare(memory_world& world, std::string_view round,
                                   std::span<message> all) {
  constexpr auto words =
      std::array{"water",  "house", "time",  "year",  "people", "world", "music",
                 "city",   "food",  "night", "work",  "game",   "team",  "money",
                 "school", "story", "place", "group", "state",  "power"};
  for (auto n = std::size_t{0}; n < all.size(); ++n) {
    auto& one = all[n];
    one.id = message_id::make().str();
    one.text = std::format("{} number {}: the {} of the {} and {}", round, n,
                           words[n % 20], words[n / 20 % 20], words[n * 7 / 3 % 20]);
    const auto vector = world.vector_of(one.text);
    if (!vector)
      return std::unexpected{vector.error()};
    one.question = std::format(R"("embedding":{},"k":1)", *vector);
  }
  return {};
}

[[nodiscard]] result<void> write(const memory_world& world, http_client& by,
                                 std::span<message> all,
                                 std::chrono::milliseconds every) {
  const auto begun = std::chrono::steady_clock::now();
  for (auto n = std::size_t{0}; n < all.size(); ++n) {
    std::this_thread::sleep_until(begun + n * every);
    if (auto stored = world.store(by, all[n].id, all[n].text); !stored)
      return stored;
    all[n].committed.store(clock::now().time_since_epoch().count());
  }
  return {};
}

/// Asks for one after the other, so that a later one that comes early counts late.
[[nodiscard]] result<std::size_t> find(memory_world& world, std::span<message> all,
                                       const std::atomic<bool>& failed) {
  auto missing = std::size_t{0};
  for (auto& one : all) {
    while (one.committed.load() == 0 && !failed)
      std::this_thread::sleep_for(std::chrono::microseconds{200});
    for (auto there = false; !there && !failed;) {
      const auto found = world.search(one.question);
      if (!found)
        return std::unexpected{found.error()};
      one.found = clock::now();
      there = !found->empty() && found->front() == one.id;
      if (!there && one.found - point(one.committed.load()) > give_up_after) {
        ++missing;
        break;
      }
    }
  }
  return missing;
}

/// When the vectors were written: the beginning of their transaction, so what follows
/// is rather told too long.
[[nodiscard]] result<clock::time_point> embedded_at(memory_world& world,
                                                    const message& one) {
  auto rows = world.database().run(
      {"select (extract(epoch from max(created_at)) * 1000000)::bigint "
       "from public.embeddings where message_id = $1::uuid",
       {one.id}});
  if (!rows)
    return std::unexpected{std::move(rows.error())};
  return clock::time_point{std::chrono::microseconds{rows->integer(0, 0)}};
}

[[nodiscard]] result<void> measure_pace(memory_world& world, http_client& writer_by,
                                        const pace& how, std::string_view label,
                                        std::size_t count, round& into) {
  auto all = std::vector<message>(count);
  if (auto ready = prepare(world, label, all); !ready)
    return ready;
  auto failed = std::atomic{false};
  auto written = result<void>{};
  auto writer = std::jthread{[&] {
    written = write(world, writer_by, all, how.every);
    failed = !written;
  }};
  const auto missing = find(world, all, failed);
  failed = failed || !missing;
  writer.join();
  if (!written)
    return written;
  if (!missing)
    return std::unexpected{missing.error()};
  auto total = histogram{};
  auto embedding = histogram{};
  auto indexing = histogram{};
  const auto span = [](auto from, auto to) {
    return std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{to - from});
  };
  for (const auto& one : all) {
    const auto embedded = embedded_at(world, one);
    if (!embedded)
      return std::unexpected{embedded.error()};
    const auto committed = point(one.committed.load());
    total.record(span(committed, one.found));
    embedding.record(span(committed, *embedded));
    indexing.record(span(*embedded, one.found));
  }
  add_percentiles(into, how.name + " stored to searchable", total, {50, 99});
  add_percentiles(into, how.name + " stored to vector", embedding, {50, 99});
  add_percentiles(into, how.name + " vector to searchable", indexing, {50, 99});
  into.push_back(
      {how.name + " not found", "messages", static_cast<double>(*missing), true});
  return {};
}

} // namespace

result<findings> run_searchable(const settings& how) {
  constexpr auto messages = std::size_t{300};
  const auto paces = std::vector<pace>{{"20/s", std::chrono::milliseconds{50}},
                                       {"100/s", std::chrono::milliseconds{10}}};
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  const auto server = start_jessica(how, home->path(),
                                    {.core = {}, .flags = memory_world::options(how)});
  if (!server)
    return std::unexpected{server.error()};
  auto world = memory_world::make(*server, home->path());
  if (!world)
    return std::unexpected{std::move(world.error())};
  auto writer = http_client::connect(server->port);
  if (!writer)
    return std::unexpected{std::move(writer.error())};
  auto warm = round{};
  if (auto done = measure_pace(*world, *writer, paces.back(), "warm", 20, warm); !done)
    return std::unexpected{std::move(done.error())};
  auto found =
      findings{"searchable", {{"messages of a pace", std::to_string(messages)}}, {}};
  for (auto n = std::size_t{0}; n < how.rounds; ++n) {
    auto measures = round{};
    for (const auto& one : paces)
      if (auto done = measure_pace(*world, *writer, one,
                                   std::format("round {} at {}", n, one.name), messages,
                                   measures);
          !done)
        return std::unexpected{std::move(done.error())};
    found.rounds.push_back(std::move(measures));
  }
  return found;
}

} // namespace jessica::bench
