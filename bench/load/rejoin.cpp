#include "bench/load/people.hpp"
#include "bench/load/scenarios.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto conversations_of_a_user = std::size_t{25};
constexpr auto limit = std::chrono::seconds{120};
constexpr auto private_channel =
    join_options{.is_private = true, .self = false, .ack = false};

/// Every client connects at its own moment and joins as soon as it is connected.
class rejoin_round final : ws_client::listener {
public:
  rejoin_round(const running_server& server, std::span<const seat> seats,
               clock::duration within)
      : server_(server),
        seats_(seats),
        within_(within),
        sockets_(*this),
        answered_(seats.size()) {}

  [[nodiscard]] result<round> run();

private:
  void opened(std::size_t client) override;
  void frame(std::size_t client, const server_frame& what) override;
  void connect_due();
  [[nodiscard]] clock::time_point due(std::size_t client) const;

  const running_server& server_;
  std::span<const seat> seats_;
  clock::duration within_;
  fleet sockets_;
  std::vector<bool> answered_;
  clock::time_point begun_;
  clock::time_point last_joined_;
  std::optional<error> failure_;
  std::size_t answers_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t repeated_ = 0;
  histogram late_; ///< from when a client should connect until it does
  histogram delay_;
};

clock::time_point rejoin_round::due(std::size_t client) const {
  return begun_ + within_ * client / seats_.size();
}

void rejoin_round::connect_due() {
  for (auto now = clock::now();
       !failure_ && sockets_.size() < seats_.size() && due(sockets_.size()) <= now;
       now = clock::now()) {
    late_.record(now - due(sockets_.size()));
    if (auto begun = sockets_.begin_one(server_.realtime()); !begun)
      failure_ = begun.error();
  }
}

void rejoin_round::opened(std::size_t client) {
  const auto& [topic, token] = seats_[client];
  sockets_.send(client, opcode::text, join_message(topic, token, private_channel));
}

void rejoin_round::frame(std::size_t client, const server_frame& what) {
  const auto read = read_message(what);
  if (!read || read->kind != message::what::reply || read->ref != join_ref)
    return;
  if (answered_[client]) {
    ++repeated_;
    return;
  }
  answered_[client] = true;
  ++answers_;
  last_joined_ = clock::now();
  delay_.record(last_joined_ - due(client));
  if (!read->ok)
    ++refused_;
}

result<round> rejoin_round::run() {
  const auto cpu = server_.child.cpu_time();
  begun_ = clock::now();
  sockets_.turn_at_least_every(std::chrono::milliseconds{1});
  const auto done = [&] {
    connect_due();
    return failure_ || answers_ == seats_.size();
  };
  auto ran = sockets_.run(done, limit);
  if (ran && failure_)
    ran = std::unexpected{*failure_};
  if (!ran)
    return std::unexpected{std::move(ran.error())};
  const auto all = std::chrono::duration<double>{last_joined_ - begun_};
  const auto used = static_cast<double>((server_.child.cpu_time() - cpu).count());
  auto values = round{{"until the last is joined", "s", all.count()}};
  add_percentiles(values, "connect to joined", delay_, {50, 99, 100});
  add_percentiles(values, "connected later than due", late_, {99});
  values.push_back({"server processor time for a rejoin", "us",
                    used / static_cast<double>(seats_.size())});
  values.push_back({"joins refused", "", static_cast<double>(refused_), true});
  values.push_back({"joins answered twice", "", static_cast<double>(repeated_), true});
  return values;
}

/// Before the break: everybody is joined, and nobody says anything.
class crowd final : channel_fleet::listener {
public:
  crowd() : clients_(*this) {}

  [[nodiscard]] result<void> join(const running_server& server,
                                  std::span<const seat> seats) {
    return clients_.open(server.realtime(), seats, limit).and_then([&] {
      return clients_.join(private_channel, limit);
    });
  }

private:
  void heard(std::size_t, const message&) override {}

  channel_fleet clients_;
};

} // namespace

result<findings> run_rejoin(const settings& how) {
  const auto on = start_scratch_server(how, {});
  if (!on)
    return std::unexpected{on.error()};
  const auto seats = empty_conversations(on->server, on->home.path(), how.rejoiners,
                                         conversations_of_a_user);
  if (!seats)
    return std::unexpected{seats.error()};
  auto found =
      findings{"rejoin",
               {{"clients", std::to_string(how.rejoiners)},
                {"all connect again within", std::to_string(how.within) + " s"}},
               {}};
  return hold_rounds(std::move(found), how.rounds, [&](std::size_t) -> result<round> {
    if (auto joined = crowd{}.join(on->server, *seats); !joined)
      return std::unexpected{std::move(joined.error())};
    // Here all connections have broken at once.
    return rejoin_round{on->server, *seats, std::chrono::seconds{how.within}}.run();
  });
}

} // namespace jessica::bench
