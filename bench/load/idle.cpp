#include "bench/load/people.hpp"
#include "bench/load/scenarios.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <thread>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

/// Joined before the first look at the memory, so that what a server needs once
/// (threads' arenas, statements, the first slabs) is not counted as a connection's.
constexpr auto first_connections = std::size_t{1000};
constexpr auto conversations_of_a_user = std::size_t{25};
constexpr auto connect_limit = std::chrono::seconds{120};
/// The client's.
constexpr auto heartbeat_every = std::chrono::seconds{25};
constexpr auto mib = double{1 << 20};

[[nodiscard]] double per_second(std::size_t count, clock::duration took) {
  return static_cast<double>(count) / std::chrono::duration<double>{took}.count();
}

/// Lets the server put down what it did last.
void settle() {
  std::this_thread::sleep_for(std::chrono::milliseconds{500});
}

class idle_round final : channel_fleet::listener {
public:
  idle_round(const running_server& server, std::span<const seat> seats)
      : server_(server), seats_(seats), connections_(*this) {}

  [[nodiscard]] result<round> run(std::chrono::seconds hold);

private:
  void heard(std::size_t client, const message& what) override;
  [[nodiscard]] result<void> enter_first();
  [[nodiscard]] result<void> enter_rest(round& into);
  [[nodiscard]] result<void> stay(std::chrono::seconds hold, round& into);
  void beat_due(clock::duration passed);
  [[nodiscard]] double each(std::uint64_t bytes) const;

  const running_server& server_;
  std::span<const seat> seats_;
  channel_fleet connections_;
  std::uint64_t before_ = 0; ///< bytes
  std::size_t beats_ = 0;
  std::size_t answered_ = 0;
};

constexpr auto private_channel =
    join_options{.is_private = true, .self = false, .ack = false};

void idle_round::heard(std::size_t, const message& what) {
  if (what.kind == message::what::reply && what.ok)
    ++answered_;
}

result<round> idle_round::run(std::chrono::seconds hold) {
  auto values = round{};
  auto ran = enter_first().and_then([&] { return enter_rest(values); });
  if (ran && hold > hold.zero())
    ran = stay(hold, values);
  return std::move(ran).transform([&] { return std::move(values); });
}

result<void> idle_round::enter_first() {
  auto entered =
      connections_
          .open(server_.realtime(), seats_.first(first_connections), connect_limit)
          .and_then([&] { return connections_.join(private_channel, connect_limit); });
  settle();
  before_ = server_.child.resident_bytes();
  return entered;
}

result<void> idle_round::enter_rest(round& into) {
  const auto rest = seats_.subspan(first_connections);
  const auto begun = clock::now();
  if (auto opened = connections_.open(server_.realtime(), rest, connect_limit); !opened)
    return opened;
  const auto open = clock::now();
  settle();
  const auto connected = server_.child.resident_bytes();
  const auto joining = clock::now();
  if (auto joined = connections_.join(private_channel, connect_limit); !joined)
    return joined;
  const auto over = clock::now();
  settle();
  const auto after = server_.child.resident_bytes();
  into.push_back({"resident memory of a joined connection", "bytes", each(after)});
  into.push_back(
      {"resident memory of a connection before its join", "bytes", each(connected)});
  into.push_back({"private joins with authorisation", "1/s",
                  per_second(rest.size(), over - joining)});
  into.push_back({"connections opened", "1/s", per_second(rest.size(), open - begun)});
  into.push_back(
      {"server's resident memory at the end", "MiB", static_cast<double>(after) / mib});
  return {};
}

double idle_round::each(std::uint64_t bytes) const {
  return (static_cast<double>(bytes) - static_cast<double>(before_)) /
         static_cast<double>(seats_.size() - first_connections);
}

/// Heartbeats are spread evenly, as those of clients that came at different times.
void idle_round::beat_due(clock::duration passed) {
  const auto all = static_cast<double>(seats_.size());
  const auto share = std::chrono::duration<double>{passed} / heartbeat_every;
  const auto due = static_cast<std::size_t>(all * share);
  for (; beats_ < due; ++beats_)
    connections_.heartbeat(beats_ % seats_.size());
}

result<void> idle_round::stay(std::chrono::seconds hold, round& into) {
  constexpr auto answer_limit = std::chrono::seconds{10};
  const auto cpu = server_.child.cpu_time();
  const auto begun = clock::now();
  const auto held = [&] {
    const auto passed = clock::now() - begun;
    beat_due(std::min<clock::duration>(passed, hold));
    return passed >= hold;
  };
  auto ran = connections_.run(held, hold + answer_limit);
  if (!ran)
    return ran;
  const auto used = server_.child.cpu_time() - cpu;
  const auto last = clock::now();
  const auto answered = [&] {
    return answered_ >= beats_ || clock::now() - last > answer_limit;
  };
  if (ran = connections_.run(answered, 2 * answer_limit); !ran)
    return ran;
  into.push_back({"held for", "s", static_cast<double>(hold.count())});
  into.push_back({"heartbeats answered", "", static_cast<double>(answered_)});
  into.push_back({"heartbeats not answered", "",
                  static_cast<double>(beats_) - static_cast<double>(answered_), true});
  into.push_back({"server's share of a core meanwhile", "%",
                  100 * std::chrono::duration<double>{used} / hold});
  into.push_back({"memory of a connection after that", "bytes",
                  each(server_.child.resident_bytes())});
  return {};
}

} // namespace

result<findings> run_idle(const settings& how) {
  if (how.connections <= first_connections)
    return fail(errc::invalid_input,
                std::format("--connections must be over {}", first_connections));
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  auto seats = std::vector<seat>{};
  auto found =
      findings{"idle",
               {{"connections", std::to_string(how.connections)},
                {"of these before the first look", std::to_string(first_connections)}},
               {}};
  // The first server makes the conversations: what that leaves in its memory is not
  // measured. Each round has a server of its own, which closes whoever is silent.
  for (auto i = std::size_t{0}; i <= how.rounds; ++i) {
    const auto server =
        start_jessica(how, home->path(), {.core = {}, .keeps_silent = false});
    if (!server)
      return std::unexpected{server.error()};
    if (i == 0) {
      auto made = empty_conversations(*server, home->path(), how.connections,
                                      conversations_of_a_user);
      if (!made)
        return std::unexpected{std::move(made.error())};
      seats = std::move(*made);
      settle();
      continue;
    }
    auto one = idle_round{*server, seats}.run(std::chrono::seconds{how.hold});
    if (!one)
      return std::unexpected{std::move(one.error())};
    found.rounds.push_back(std::move(*one));
  }
  return found;
}

} // namespace jessica::bench
