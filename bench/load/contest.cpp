#include "bench/load/contest.hpp"

#include <algorithm>
#include <array>

namespace jessica::bench {
namespace {

constexpr auto warm_up_share = std::size_t{10};

[[nodiscard]] double rate(const relay_score& of) {
  return static_cast<double>(of.frames) /
         std::chrono::duration<double>{of.took}.count();
}

[[nodiscard]] double cpu_each(const relay_score& of) {
  return static_cast<double>(of.cpu.count()) / static_cast<double>(of.frames);
}

void add_score(round& to, const relay& by, const relay_score& score) {
  to.push_back({by.name() + ": frames delivered", "1/s", rate(score)});
  to.push_back(
      {by.name() + ": server processor time for a frame", "us", cpu_each(score)});
  if (score.delay.count() > 0)
    add_percentiles(to, by.name() + ": send to delivery", score.delay, {50, 99});
  to.push_back({by.name() + ": frames missing or out of order", "",
                static_cast<double>(score.faults), true});
}

} // namespace

result<std::vector<round>> hold_contest(const settings& how, relay& jessica,
                                        relay& peer, const relay_trial& trial) {
  const auto both = std::array{&jessica, &peer};
  for (auto* one : both)
    if (auto warm = trial(*one, std::max(how.frames / warm_up_share, std::size_t{1}));
        !warm)
      return std::unexpected{std::move(warm.error())};
  auto rounds = std::vector<round>{};
  for (auto i = std::size_t{0}; i < how.rounds; ++i) {
    auto scores = std::array<relay_score, 2>{};
    for (auto turn = std::size_t{0}; turn < both.size(); ++turn) {
      const auto who = (i + turn) % both.size();
      auto score = trial(*both[who], how.frames);
      if (!score)
        return std::unexpected{std::move(score.error())};
      scores[who] = std::move(*score);
    }
    auto& one = rounds.emplace_back();
    for (auto who = std::size_t{0}; who < both.size(); ++who)
      add_score(one, *both[who], scores[who]);
    one.push_back({"jessica / ws: processor time for a frame", "",
                   cpu_each(scores[0]) / cpu_each(scores[1])});
    one.push_back(
        {"jessica / ws: frames delivered", "", rate(scores[0]) / rate(scores[1])});
  }
  return rounds;
}

} // namespace jessica::bench
