#include "bench/load/conversations.hpp"
#include "bench/load/scenarios.hpp"

#include <algorithm>
#include <thread>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

/// Joined before the first look at the memory, so that what a server needs once
/// (threads' arenas, statements) is not counted as a connection's.
constexpr auto warm_connections = std::size_t{200};
constexpr auto conversations_of_a_user = std::size_t{25};
constexpr auto connect_limit = std::chrono::seconds{120};

/// Hears nothing that matters: the connections are idle.
class deaf final : public channel_fleet::listener {
  void heard(std::size_t, const message&) override {}
};

[[nodiscard]] double per_second(std::size_t count, clock::duration took) {
  return static_cast<double>(count) / std::chrono::duration<double>{took}.count();
}

/// Lets the server put down what it did last.
void settle() {
  std::this_thread::sleep_for(std::chrono::milliseconds{500});
}

[[nodiscard]] result<round> measure_idle(const running_server& server,
                                         std::span<const seat> seats) {
  auto nobody = deaf{};
  auto connections = channel_fleet{nobody};
  const auto how = join_options{.is_private = true, .self = false, .ack = false};
  const auto first = seats.first(warm_connections);
  const auto rest = seats.subspan(warm_connections);
  auto warm = connections.open(server.realtime(), first, connect_limit).and_then([&] {
    return connections.join(how, connect_limit);
  });
  if (!warm)
    return std::unexpected{std::move(warm.error())};
  settle();
  const auto before = server.child.resident_bytes();
  const auto begun = clock::now();
  if (auto opened = connections.open(server.realtime(), rest, connect_limit); !opened)
    return std::unexpected{std::move(opened.error())};
  const auto open = clock::now();
  settle();
  const auto connected = server.child.resident_bytes();
  const auto joining = clock::now();
  if (auto joined = connections.join(how, connect_limit); !joined)
    return std::unexpected{std::move(joined.error())};
  const auto over = clock::now();
  settle();
  const auto after = server.child.resident_bytes();

  constexpr auto mib = double{1 << 20};
  const auto each = [&](std::uint64_t bytes) {
    return (static_cast<double>(bytes) - static_cast<double>(before)) /
           static_cast<double>(rest.size());
  };
  return round{
      {"resident memory of a joined connection", "bytes", each(after)},
      {"resident memory of a connection before its join", "bytes", each(connected)},
      {"private joins with authorisation", "1/s",
       per_second(rest.size(), over - joining)},
      {"connections opened", "1/s", per_second(rest.size(), open - begun)},
      {"server's resident memory at the end", "MiB", static_cast<double>(after) / mib}};
}

} // namespace

result<findings> run_idle(const settings& how) {
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  auto seats = std::vector<seat>{};
  auto found = findings{
      "idle",
      {{"connections", std::to_string(how.connections)},
       {"connections before the first look", std::to_string(warm_connections)}},
      {}};
  // The first server makes the conversations: what that leaves in its memory is not
  // measured. Each round has a server of its own.
  for (auto i = std::size_t{0}; i <= how.rounds; ++i) {
    const auto server = start_jessica(how, home->path());
    if (!server)
      return std::unexpected{server.error()};
    if (i == 0) {
      auto made = open_conversations(*server, warm_connections + how.connections,
                                     conversations_of_a_user);
      if (!made)
        return std::unexpected{std::move(made.error())};
      seats = std::move(*made);
      settle();
      continue;
    }
    auto one = measure_idle(*server, seats);
    if (!one)
      return std::unexpected{std::move(one.error())};
    found.rounds.push_back(std::move(*one));
  }
  return found;
}

} // namespace jessica::bench
