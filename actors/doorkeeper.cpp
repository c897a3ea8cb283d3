#include "actors/doorkeeper.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = doorkeeper_actor::stateful_pointer<doorkeeper_state>;

/// Logins of one question: a node that starts asks for all of its clients in some ten.
constexpr auto most_asked = std::size_t{1000};
constexpr auto answer_time = std::chrono::seconds{10};
/// Until everybody is asked about again, when the database did not answer.
constexpr auto retry_pause = std::chrono::seconds{1};

[[nodiscard]] ops::counter& ended_logins_shown() {
  static auto shown = ops::counter{"jessica_actors_logins_ended_total",
                                   "Sockets that were told of a login's end"};
  return shown;
}

void heed(self_pointer self, const std::vector<access_change>& changes) {
  auto& memory = *self->state.deps.memory;
  for (const auto& change : changes)
    for (const auto& [guest, who] : memory.roll.apply(change)) {
      const auto to = memory.sessions.find(guest);
      if (to == memory.sessions.end())
        continue;
      ended_logins_shown().add();
      self->send(to->second, login_ended{who});
    }
}

/// The question about this login is settled: `failed`, or by what is known now.
void answer_askers(self_pointer self, const login& who, const error* failed) {
  auto& state = self->state;
  auto& roll = state.deps.memory->roll;
  const auto over = roll.over(who, state.deps.now());
  if (failed == nullptr && !over)
    roll.confirm(who);
  const auto asked = state.askers.extract(who);
  if (!asked)
    return;
  for (auto& [answer, meter] : asked.mapped())
    if (over)
      answer.deliver(to_caf(session_over()));
    else if (failed != nullptr)
      answer.deliver(to_caf(*failed));
    else
      answer.deliver(entered{std::move(meter)});
}

void ask_on(self_pointer self);

void settle(self_pointer self, const std::vector<login>& asked, const error* failed) {
  for (const auto& who : asked)
    answer_askers(self, who, failed);
  self->state.asking = false;
  ask_on(self);
}

/// One question at a time: what comes meanwhile is the next one.
void ask_on(self_pointer self) {
  auto& state = self->state;
  if (state.asking || state.questions.empty())
    return;
  auto asked = std::vector<login>{};
  while (!state.questions.empty() && asked.size() < most_asked)
    asked.push_back(state.questions.extract(state.questions.begin()).value());
  state.asking = true;
  self->request(state.deps.readers, answer_time, find_ended{asked})
      .then(
          [self, asked](const ended_logins& found) {
            heed(self, found.what);
            settle(self, asked, nullptr);
          },
          [self, asked](const caf::error& why) {
            const auto cause = from_caf(why);
            ops::warn("logins.not_checked", {{"cause", cause.what}});
            if (!std::exchange(self->state.retrying, true))
              self->delayed_send(self, retry_pause, doubt_logins{});
            settle(self, asked, &cause);
          });
}

[[nodiscard]] caf::result<entered> let_in(self_pointer self, const enter& msg) {
  auto& state = self->state;
  auto& [roll, sessions] = *state.deps.memory;
  if (roll.over(msg.who, state.deps.now()))
    return to_caf(session_over());
  const auto guest = msg.from.id();
  if (sessions.try_emplace(guest, msg.from).second)
    self->monitor(msg.from);
  auto meter = roll.enter(guest, msg.who);
  if (roll.confirmed(msg.who))
    return entered{std::move(meter)};
  auto later = self->make_response_promise<entered>();
  state.askers[msg.who].push_back({later, std::move(meter)});
  state.questions.insert(msg.who);
  ask_on(self);
  return later;
}

} // namespace

doorkeeper_actor::behavior_type doorkeeper(self_pointer self, doorkeeper_deps deps) {
  guard(self, "DOORKEEPER");
  self->state.deps = std::move(deps);
  for (const auto& [guest, session] : self->state.deps.memory->sessions)
    self->monitor(session); // of one that ended meanwhile we hear at once
  self->set_down_handler([self](const caf::down_msg& down) {
    auto& [roll, sessions] = *self->state.deps.memory;
    roll.leave(down.source.id());
    sessions.erase(down.source.id());
  });
  return {
      [self](const enter& msg) { return let_in(self, msg); },
      [self](const leave_login& msg) {
        self->state.deps.memory->roll.leave(msg.from, msg.who);
      },
      [self](const access_changed& msg) { heed(self, msg.what); },
      [self](doubt_logins) {
        auto& state = self->state;
        state.retrying = false;
        for (const auto& who : state.deps.memory->roll.doubt_all())
          state.questions.insert(who);
        ask_on(self);
      },
  };
}

} // namespace jessica::actors
