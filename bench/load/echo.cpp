#include "bench/load/contest.hpp"
#include "bench/load/scenarios.hpp"

#include <format>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto trial_limit = std::chrono::seconds{120};

/// Every client has one frame under way and sends the next when it is back.
class echo_trial final : relay::listener {
public:
  echo_trial(relay& by, std::size_t clients) : by_(by), flights_(clients) {}

  [[nodiscard]] result<relay_score> run(std::uint64_t frames);

private:
  struct flight {
    std::uint64_t number = 0;
    clock::time_point sent_at;
  };
  void delivered(std::size_t client, std::string_view payload) override;
  void send(std::size_t client);

  relay& by_;
  std::vector<flight> flights_;
  std::uint64_t wanted_ = 0;
  std::uint64_t sent_ = 0;
  relay_score score_;
};

result<relay_score> echo_trial::run(std::uint64_t frames) {
  wanted_ = frames;
  const auto cpu = by_.server().cpu_time();
  const auto begun = clock::now();
  for (auto i = std::size_t{0}; i < flights_.size(); ++i)
    send(i);
  const auto done = [&] { return score_.frames == sent_; };
  if (auto ran = by_.run(*this, done, trial_limit); !ran)
    return std::unexpected{std::move(ran.error())};
  score_.took = clock::now() - begun;
  score_.cpu = by_.server().cpu_time() - cpu;
  return std::move(score_);
}

void echo_trial::delivered(std::size_t client, std::string_view payload) {
  ++score_.frames;
  if (number_in(payload) != flights_[client].number)
    ++score_.faults;
  score_.delay.record(clock::now() - flights_[client].sent_at);
  send(client);
}

void echo_trial::send(std::size_t client) {
  if (sent_ == wanted_)
    return;
  flights_[client] = {++sent_, clock::now()};
  by_.send(client, numbered_payload(sent_));
}

/// Each client in a topic of its own.
[[nodiscard]] std::vector<seat> own_topics(std::size_t clients) {
  auto seats = std::vector<seat>{};
  for (auto i = std::size_t{0}; i < clients; ++i)
    seats.push_back({std::format("realtime:bench:echo:{:06}", i), {}});
  return seats;
}

} // namespace

result<findings> run_echo(const settings& how) {
  const auto seats = own_topics(how.clients);
  auto rounds = hold_contest(how, {.mode = "echo", .topics = seats, .self = true},
                             [&](relay& by, std::size_t frames) {
                               return echo_trial{by, how.clients}.run(frames);
                             });
  if (!rounds)
    return std::unexpected{std::move(rounds.error())};
  return findings{"echo",
                  {{"clients, one frame in flight each", std::to_string(how.clients)},
                   {"payload", "120 bytes"},
                   {"frames delivered in a round", std::to_string(how.frames)}},
                  std::move(*rounds)};
}

} // namespace jessica::bench
