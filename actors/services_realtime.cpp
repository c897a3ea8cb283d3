#include "actors/broadcaster.hpp"
#include "actors/changefeed.hpp"
#include "actors/doorkeeper.hpp"
#include "actors/hub.hpp"
#include "actors/judge.hpp"
#include "actors/services.hpp"

namespace jessica::actors {
namespace {

[[nodiscard]] changefeed_actor start_changefeed(service_roll& roll,
                                                const system_options& options,
                                                changefeed_deps deps) {
  constexpr auto slot_timeout = std::chrono::seconds{5}; // a stop waits that long
  const auto frame_bytes = options.settings.realtime.max_frame_bytes;
  deps.database = options.database;
  deps.wal.node = options.node;
  deps.wal.slot_timeout = slot_timeout;
  deps.router = std::make_shared<change_router>(frame_bytes);
  deps.broadcasts = std::make_shared<broadcast_feed>(
      std::chrono::floor<timestamp::duration>(std::chrono::system_clock::now()),
      frame_bytes);
  return roll.threaded("CHANGEFEED", changefeed, deps);
}

} // namespace

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

channel_services start_channels(service_roll& roll, const system_options& options) {
  const auto& limits = options.settings.realtime;
  auto made = channel_services{};
  made.hub = roll.scheduled("HUB", hub);
  for (auto i = std::size_t{0}; i < limits.judges; ++i)
    made.judges.push_back(roll.threaded_anew(
        "JUDGE", judge, [database = options.database, queue = limits.judge_queue] {
          return judge_deps{judge_on(database), queue};
        }));
  return made;
}

feed_services start_feeds(service_roll& roll, const system_options& options,
                          const channel_services& channels,
                          const storage_services& storage,
                          const memory_services& memory,
                          const dispatcher_actor& dispatcher) {
  constexpr auto remembered_ends = std::size_t{32'768};
  auto made = feed_services{};
  made.doorkeeper = roll.scheduled(
      "DOORKEEPER", doorkeeper,
      doorkeeper_deps{storage.readers,
                      std::make_shared<doorkeeper_memory>(remembered_ends),
                      wall_clock});
  auto changes = changefeed_deps{};
  changes.dispatcher = dispatcher;
  changes.catalog = storage.catalog;
  changes.doorkeeper = made.doorkeeper;
  changes.hub = channels.hub;
  changes.embedding = memory.embedding;
  changes.indexer = memory.indexer;
  made.changefeed = start_changefeed(roll, options, std::move(changes));
  made.broadcaster =
      roll.scheduled("BROADCASTER", broadcaster,
                     broadcaster_deps{channels.hub, channels.judges, storage.readers,
                                      options.settings.realtime});
  return made;
}

} // namespace jessica::actors
