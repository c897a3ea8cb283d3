#include "bench/load/contest.hpp"

#include "bench/load/pinning.hpp"

#include <algorithm>
#include <deque>
#include <format>

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

void add_score(round& to, const std::string& name, const relay_score& score) {
  to.push_back({name + ": frames delivered", "1/s", rate(score)});
  to.push_back({name + ": server processor time for a frame", "us", cpu_each(score)});
  if (score.delay.count() > 0)
    add_percentiles(to, name + ": send to delivery", score.delay, {50, 99});
  to.push_back({name + ": frames missing or out of order", "",
                static_cast<double>(score.faults), true});
}

/// The servers, and the clients of each; Jessica's are the first.
class contenders {
public:
  explicit contenders(scratch_directory home) : home_(std::move(home)) {}

  [[nodiscard]] result<void> start(const settings& how, const contest& what) {
    const auto peers = relay_peers_named(how.peers);
    if (!peers)
      return std::unexpected{peers.error()};
    const auto core = part_from_servers(how);
    if (!core)
      return std::unexpected{core.error()};
    // All servers first: processes are started before any thread or connection is.
    if (auto up = add(start_jessica(how, home_.path(), {.core = *core})); !up)
      return up;
    for (const auto& one : *peers)
      if (auto up = add(start_peer(how, one, home_.path(), *core)); !up)
        return up;
    auto opened = enter(open_jessica_relay(servers_.front(), what.topics, what.self));
    for (auto i = std::size_t{0}; opened && i < peers->size(); ++i)
      opened = enter(open_peer_relay((*peers)[i], servers_[i + 1], what.mode,
                                     what.topics.front().topic, what.topics.size()));
    return opened;
  }

  [[nodiscard]] std::span<const std::unique_ptr<relay>> relays() const {
    return relays_;
  }

private:
  [[nodiscard]] result<void> add(result<running_server> server) {
    return std::move(server).transform(
        [&](running_server&& up) { servers_.push_back(std::move(up)); });
  }
  [[nodiscard]] result<void> enter(result<std::unique_ptr<relay>> opened) {
    return std::move(opened).transform(
        [&](std::unique_ptr<relay>&& made) { relays_.push_back(std::move(made)); });
  }

  scratch_directory home_;
  std::deque<running_server> servers_; ///< stay where they are
  std::vector<std::unique_ptr<relay>> relays_;
};

[[nodiscard]] result<std::vector<relay_score>>
hold_round(std::span<const std::unique_ptr<relay>> relays, std::size_t first,
           std::size_t frames, const relay_trial& trial) {
  auto scores = std::vector<relay_score>(relays.size());
  for (auto turn = std::size_t{0}; turn < relays.size(); ++turn) {
    const auto who = (first + turn) % relays.size();
    auto score = trial(*relays[who], frames);
    if (!score)
      return fail(score.error().code,
                  std::format("{}: {}", relays[who]->name(), score.error().what));
    scores[who] = std::move(*score);
  }
  return scores;
}

} // namespace

result<std::vector<round>> hold_contest(const settings& how, const contest& what,
                                        const relay_trial& trial) {
  auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{std::move(home.error())};
  auto all = contenders{std::move(*home)};
  if (auto started = all.start(how, what); !started)
    return std::unexpected{std::move(started.error())};
  auto names = std::vector<std::string>{};
  for (const auto& one : all.relays())
    names.push_back(one->name());
  const auto short_trial = std::max(how.frames / warm_up_share, std::size_t{1});
  if (auto warm = hold_round(all.relays(), 0, short_trial, trial); !warm)
    return std::unexpected{std::move(warm.error())};
  auto rounds = std::vector<round>{};
  for (auto i = std::size_t{0}; i < how.rounds; ++i) {
    const auto scores = hold_round(all.relays(), i, how.frames, trial);
    if (!scores)
      return std::unexpected{scores.error()};
    rounds.push_back(compare(names, *scores));
  }
  return rounds;
}

round compare(std::span<const std::string> names, std::span<const relay_score> scores) {
  auto one = round{};
  for (auto who = std::size_t{0}; who < scores.size(); ++who)
    add_score(one, names[who], scores[who]);
  for (auto who = std::size_t{1}; who < scores.size(); ++who) {
    const auto both = std::format("{} / {}", names[0], names[who]);
    one.push_back({both + ": processor time for a frame", "",
                   cpu_each(scores[0]) / cpu_each(scores[who])});
    one.push_back(
        {both + ": frames delivered", "", rate(scores[0]) / rate(scores[who])});
  }
  return one;
}

} // namespace jessica::bench
