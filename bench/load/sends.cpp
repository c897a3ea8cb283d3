#include "bench/load/conversations.hpp"
#include "bench/load/json_field.hpp"
#include "bench/load/scenarios.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto content = std::string_view{
    R"({"content":"A message of ordinary length, as people send them to a chat."})"};
constexpr auto connect_limit = std::chrono::seconds{60};
/// For the replies that are still due when the sending ends.
constexpr auto drain_limit = std::chrono::seconds{120};

class sends_round final : channel_fleet::listener {
public:
  /// `rate`: messages a second, or 0: each socket sends when it is answered.
  /// `to_the_end`: a round is over when all replies are.
  sends_round(std::size_t rate, bool to_the_end)
      : fleet_(*this), rate_(rate), to_the_end_(to_the_end) {}

  [[nodiscard]] result<round> run(const running_server& server,
                                  std::span<const seat> seats,
                                  std::chrono::milliseconds length);

private:
  void heard(std::size_t client, const message& what) override;
  void stored(std::size_t client, const message& answer);
  void completed(std::string_view payload);
  /// The clock starts when the message should be sent, which may be over already.
  void send(std::size_t client, clock::time_point due);
  void send_due();
  [[nodiscard]] bool sent_all() const;
  [[nodiscard]] round measures(clock::duration sending, clock::duration all,
                               std::chrono::microseconds cpu) const;

  struct in_flight {
    std::uint64_t ref = 0;
    clock::time_point due;
  };

  channel_fleet fleet_;
  std::size_t rate_;
  bool to_the_end_;
  std::vector<std::vector<in_flight>> flights_; ///< of each socket
  clock::time_point begun_;
  clock::time_point end_;
  std::size_t sent_ = 0;
  std::size_t waiting_ = 0; ///< messages that are not answered yet
  std::uint64_t stored_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t failed_ = 0;
  histogram durable_;
  histogram late_; ///< from when a message should be sent until it is
  /// A reply may be over before its message's answer is read.
  std::unordered_set<std::string> due_;
  std::unordered_set<std::string> early_;
};

result<round> sends_round::run(const running_server& server,
                               std::span<const seat> seats,
                               std::chrono::milliseconds length) {
  flights_.resize(seats.size());
  if (auto opened = fleet_.open(server.realtime(), seats, connect_limit); !opened)
    return std::unexpected{std::move(opened.error())};
  const auto how = join_options{.is_private = true, .self = false, .ack = true};
  if (auto joined = fleet_.join(how, connect_limit); !joined)
    return std::unexpected{std::move(joined.error())};
  const auto cpu = server.child.cpu_time();
  begun_ = clock::now();
  end_ = begun_ + length;
  if (rate_ > 0)
    fleet_.turn_at_least_every(std::chrono::microseconds{200});
  else
    for (auto i = std::size_t{0}; i < seats.size(); ++i)
      send(i, clock::now());
  const auto answered = [&] {
    send_due();
    return sent_all() && waiting_ == 0;
  };
  if (auto ran =
          fleet_.run(answered, std::chrono::ceil<fleet::seconds>(length) + drain_limit);
      !ran)
    return std::unexpected{std::move(ran.error())};
  const auto sent = clock::now();
  if (auto ran = fleet_.run([&] { return !to_the_end_ || due_.empty(); }, drain_limit);
      !ran)
    return std::unexpected{std::move(ran.error())};
  return measures(sent - begun_, clock::now() - begun_, server.child.cpu_time() - cpu);
}

void sends_round::heard(std::size_t client, const message& what) {
  if (what.kind == message::what::reply)
    return stored(client, what);
  if (what.event == "reply.completed")
    return completed(what.payload);
  if (what.event == "reply.failed") {
    ++failed_;
    completed(what.payload);
  }
}

void sends_round::stored(std::size_t client, const message& answer) {
  auto& flights = flights_[client];
  const auto flight = std::ranges::find(flights, answer.ref, &in_flight::ref);
  if (flight == flights.end()) { // answered twice
    ++refused_;
    return;
  }
  const auto due = flight->due;
  flights.erase(flight);
  --waiting_;
  const auto reply = text_field(answer.payload, "reply_id");
  if (answer.ok && reply) {
    durable_.record(clock::now() - due);
    ++stored_;
    if (early_.erase(std::string{*reply}) == 0)
      due_.emplace(*reply);
  } else {
    ++refused_;
  }
  if (rate_ == 0 && clock::now() < end_)
    send(client, clock::now());
}

void sends_round::completed(std::string_view payload) {
  const auto id = std::string{text_field(payload, "id").value_or("")};
  if (due_.erase(id) == 0)
    early_.insert(id);
}

void sends_round::send(std::size_t client, clock::time_point due) {
  ++waiting_;
  ++sent_;
  const auto ref = fleet_.broadcast(client, "message.send", content);
  flights_[client].push_back({ref, due});
  late_.record(clock::now() - due);
}

void sends_round::send_due() {
  if (rate_ == 0)
    return;
  const auto each = std::chrono::nanoseconds{std::nano::den} / rate_;
  for (auto due = begun_ + each * sent_; due < end_ && due <= clock::now();
       due = begun_ + each * sent_)
    send(sent_ % flights_.size(), due);
}

bool sends_round::sent_all() const {
  return rate_ == 0 || clock::now() >= end_;
}

round sends_round::measures(clock::duration sending, clock::duration all,
                            std::chrono::microseconds cpu) const {
  const auto seconds = std::chrono::duration<double>{sending}.count();
  const auto total = std::chrono::duration<double>{all}.count();
  const auto messages = static_cast<double>(stored_);
  auto values = round{{"messages stored", "1/s", messages / seconds}};
  add_percentiles(values, "send to durable answer", durable_, {50, 95, 99});
  if (rate_ > 0)
    add_percentiles(values, "sent later than due", late_, {99});
  if (to_the_end_) {
    values.push_back({"messages stored and replied to", "1/s", messages / total});
    values.push_back({"last replies came later by", "s", total - seconds});
  }
  values.push_back({"server processor time for a message", "us",
                    static_cast<double>(cpu.count()) / messages});
  values.push_back({"messages refused", "", static_cast<double>(refused_), true});
  values.push_back({"replies that failed", "", static_cast<double>(failed_), true});
  return values;
}

using facts = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] facts circumstances(const settings& how) {
  auto all = facts{{"sockets", std::to_string(how.sockets)},
                   {"seconds of sending in a round", std::to_string(how.seconds)}};
  if (how.rate > 0)
    all.emplace_back("messages a second, whatever comes back",
                     std::to_string(how.rate));
  else
    all.emplace_back("messages in flight of a socket", "1");
  if (how.slots > 0)
    all.emplace_back("replies the server writes at once", std::to_string(how.slots));
  return all;
}

} // namespace

result<findings> run_sends(const settings& how) {
  const auto on = start_scratch_server(how, {});
  if (!on)
    return std::unexpected{on.error()};
  const auto seats = open_conversations(on->server, how.sockets, 1);
  if (!seats)
    return std::unexpected{seats.error()};
  constexpr auto warm_up = std::chrono::milliseconds{500};
  // With fewer slots than it takes, replies would be waited for without end.
  const auto to_the_end = how.slots == 0;
  if (auto warm = sends_round{how.rate, to_the_end}.run(on->server, *seats, warm_up);
      !warm)
    return std::unexpected{std::move(warm.error())};
  auto found = findings{"sends", circumstances(how), {}};
  return hold_rounds(std::move(found), how.rounds, [&](std::size_t) {
    return sends_round{how.rate, to_the_end}.run(on->server, *seats,
                                                 std::chrono::seconds{how.seconds});
  });
}

} // namespace jessica::bench
