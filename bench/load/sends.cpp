#include "bench/load/conversations.hpp"
#include "bench/load/json_field.hpp"
#include "bench/load/scenarios.hpp"

#include <string>
#include <unordered_set>

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
  sends_round() : fleet_(*this) {}

  [[nodiscard]] result<round> run(const running_server& server,
                                  std::span<const seat> seats,
                                  std::chrono::milliseconds length);

private:
  void heard(std::size_t client, const message& what) override;
  void stored(std::size_t client, const message& answer);
  void completed(std::string_view payload);
  void send(std::size_t client);
  [[nodiscard]] round measures(clock::duration sending, clock::duration all,
                               std::chrono::microseconds cpu) const;

  struct in_flight {
    std::uint64_t ref = 0;
    clock::time_point sent_at;
  };

  channel_fleet fleet_;
  std::vector<in_flight> flights_;
  clock::time_point end_;
  std::size_t waiting_ = 0; ///< sockets whose message is not answered yet
  std::uint64_t stored_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t failed_ = 0;
  histogram durable_;
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
  const auto begun = clock::now();
  end_ = begun + length;
  for (auto i = std::size_t{0}; i < seats.size(); ++i)
    send(i);
  if (auto ran = fleet_.run([&] { return waiting_ == 0; }, drain_limit); !ran)
    return std::unexpected{std::move(ran.error())};
  const auto sent = clock::now();
  if (auto ran = fleet_.run([&] { return due_.empty(); }, drain_limit); !ran)
    return std::unexpected{std::move(ran.error())};
  return measures(sent - begun, clock::now() - begun, server.child.cpu_time() - cpu);
}

void sends_round::heard(std::size_t client, const message& what) {
  if (what.kind == message::what::reply && what.ref == flights_[client].ref)
    return stored(client, what);
  if (what.event == "reply.completed")
    return completed(what.payload);
  if (what.event == "reply.failed") {
    ++failed_;
    completed(what.payload);
  }
}

void sends_round::stored(std::size_t client, const message& answer) {
  --waiting_;
  const auto reply = text_field(answer.payload, "reply_id");
  if (answer.ok && reply) {
    durable_.record(clock::now() - flights_[client].sent_at);
    ++stored_;
    if (early_.erase(std::string{*reply}) == 0)
      due_.emplace(*reply);
  } else {
    ++refused_;
  }
  if (clock::now() < end_)
    send(client);
}

void sends_round::completed(std::string_view payload) {
  const auto id = std::string{text_field(payload, "id").value_or("")};
  if (due_.erase(id) == 0)
    early_.insert(id);
}

void sends_round::send(std::size_t client) {
  ++waiting_;
  flights_[client].sent_at = clock::now();
  flights_[client].ref = fleet_.broadcast(client, "message.send", content);
}

round sends_round::measures(clock::duration sending, clock::duration all,
                            std::chrono::microseconds cpu) const {
  const auto seconds = std::chrono::duration<double>{sending}.count();
  const auto total = std::chrono::duration<double>{all}.count();
  const auto messages = static_cast<double>(stored_);
  auto values = round{{"messages stored", "1/s", messages / seconds}};
  add_percentiles(values, "send to durable answer", durable_, {50, 95, 99});
  values.push_back({"messages stored and replied to", "1/s", messages / total});
  values.push_back({"last replies came later by", "s", total - seconds});
  values.push_back({"server processor time for a message", "us",
                    static_cast<double>(cpu.count()) / messages});
  values.push_back({"messages refused", "", static_cast<double>(refused_), true});
  values.push_back({"replies that failed", "", static_cast<double>(failed_), true});
  return values;
}

} // namespace

result<findings> run_sends(const settings& how) {
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  const auto server = start_jessica(how, home->path());
  if (!server)
    return std::unexpected{server.error()};
  const auto seats = open_conversations(*server, how.sockets, 1);
  if (!seats)
    return std::unexpected{seats.error()};
  constexpr auto warm_up = std::chrono::milliseconds{500};
  if (auto warm = sends_round{}.run(*server, *seats, warm_up); !warm)
    return std::unexpected{std::move(warm.error())};
  auto found =
      findings{"sends",
               {{"sockets, one message in flight each", std::to_string(how.sockets)},
                {"seconds of sending in a round", std::to_string(how.seconds)}},
               {}};
  for (auto i = std::size_t{0}; i < how.rounds; ++i) {
    auto one = sends_round{}.run(*server, *seats, std::chrono::seconds{how.seconds});
    if (!one)
      return std::unexpected{std::move(one.error())};
    found.rounds.push_back(std::move(*one));
  }
  return found;
}

} // namespace jessica::bench
