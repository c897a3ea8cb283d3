#include "bench/load/contest.hpp"
#include "bench/load/scenarios.hpp"

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto topic = std::string_view{"realtime:bench:fanout"};
constexpr auto sender = std::size_t{0};
constexpr auto trial_limit = std::chrono::seconds{120};

/// Every member but the sender must get every broadcast, in order.
class fanout_trial final : relay::listener {
public:
  fanout_trial(relay& by, std::size_t members, std::uint64_t window)
      : by_(by), members_(members), window_(window), last_(members + 1) {}

  [[nodiscard]] result<relay_score> run(std::uint64_t broadcasts);

private:
  void delivered(std::size_t client, std::string_view payload) override;
  void send_on(std::uint64_t broadcasts);

  relay& by_;
  std::size_t members_;
  std::uint64_t window_;            ///< broadcasts under way
  std::vector<std::uint64_t> last_; ///< number a client got last
  std::uint64_t sent_ = 0;
  relay_score score_;
};

result<relay_score> fanout_trial::run(std::uint64_t broadcasts) {
  const auto cpu = by_.server().cpu_time();
  const auto begun = clock::now();
  const auto done = [&] {
    send_on(broadcasts);
    return score_.frames >= broadcasts * members_;
  };
  if (auto ran = by_.run(*this, done, trial_limit); !ran)
    return std::unexpected{std::move(ran.error())};
  score_.took = clock::now() - begun;
  score_.cpu = by_.server().cpu_time() - cpu;
  return std::move(score_);
}

void fanout_trial::send_on(std::uint64_t broadcasts) {
  while (sent_ < broadcasts && sent_ < score_.frames / members_ + window_)
    by_.send(sender, numbered_payload(++sent_));
}

void fanout_trial::delivered(std::size_t client, std::string_view payload) {
  ++score_.frames;
  const auto number = number_in(payload);
  if (client == sender || number != last_[client] + 1)
    ++score_.faults;
  last_[client] = number;
}

} // namespace

result<findings> run_fanout(const settings& how) {
  const auto seats = std::vector<seat>(how.members + 1,
                                       seat{.topic = std::string{topic}, .token = {}});
  auto rounds = hold_contest(how, {.mode = "fanout", .topics = seats, .self = false},
                             [&](relay& by, std::size_t frames) {
                               return fanout_trial{by, how.members, how.window}.run(
                                   (frames + how.members - 1) / how.members);
                             });
  if (!rounds)
    return std::unexpected{std::move(rounds.error())};
  return findings{"fanout",
                  {{"members of the topic", std::to_string(how.members)},
                   {"payload", "120 bytes"},
                   {"frames delivered in a round", std::to_string(how.frames)},
                   {"broadcasts in flight", std::to_string(how.window)}},
                  std::move(*rounds)};
}

} // namespace jessica::bench
