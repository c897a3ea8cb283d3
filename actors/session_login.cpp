#include "actors/errors.hpp"
#include "actors/session_steps.hpp"
#include "wire/channel_answers.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors::session_steps {
namespace {

/// What a user's sockets share, when a channel of ours has the same login.
[[nodiscard]] std::shared_ptr<user_meter> known_meter(const session_state& state,
                                                      const login& who) {
  for (const auto& [name, joined] : state.topics)
    if (joined.meter && login_of(*joined.who) == who)
      return joined.meter;
  return nullptr;
}

/// DOORKEEPER need not watch for logins that no channel uses any more.
void leave_unused(self_pointer self) {
  auto& state = self->state;
  std::erase_if(state.entered, [&](const login& who) {
    if (known_meter(state, who))
      return false;
    self->send(state.deps->doorkeeper, leave_login{self->id(), who});
    return true;
  });
}

[[nodiscard]] std::vector<std::string> topics_of(const session_state& state,
                                                 const login& who) {
  auto names = std::vector<std::string>{};
  for (const auto& [name, joined] : state.topics)
    if (joined.meter && login_of(*joined.who) == who)
      names.push_back(name);
  return names;
}

} // namespace

void with_login(self_pointer self, const identity& who, let_in then,
                turned_away otherwise) {
  auto& state = self->state;
  if (!who.signed_in())
    return then(nullptr);
  const auto wanted = login_of(who);
  if (auto meter = known_meter(state, wanted))
    return then(std::move(meter));
  leave_unused(self);
  state.entered.push_back(wanted);
  self->request(state.deps->doorkeeper, state.deps->longest_join,
                enter{session_actor{self}, wanted})
      .then(
          [self, wanted, then = std::move(then)](const entered& in) {
            std::erase(self->state.over, wanted); // it was let in again
            then(in.meter);
          },
          [otherwise = std::move(otherwise)](const caf::error& why) {
            otherwise(from_caf(why));
          });
}

bool is_over(const session_state& state, const identity& who) {
  return who.signed_in() && std::ranges::contains(state.over, login_of(who));
}

void end_login(self_pointer self, const login& who) {
  auto& state = self->state;
  std::erase(state.entered, who);
  for (const auto& name : topics_of(state, who))
    evict(self, name, session_over().what);
  if (state.busy)
    state.over.push_back(who);
}

void say_goodbye_to_all(self_pointer self) {
  auto& state = self->state;
  for (const auto& [name, joined] : state.topics)
    tell(state, name, joined.join_ref, std::nullopt, "system",
         wire::system_message("system", true, "Server requested disconnect",
                              name_in(name)));
  state.socket.out->close(close_code::service_restart);
}

std::optional<std::string_view> over_rate(self_pointer self, const joined_topic& joined,
                                          std::size_t bytes) {
  auto& state = self->state;
  const auto& limits = state.deps->limits;
  const auto now = self->clock().now();
  auto* const meter = joined.meter.get();
  if (!state.events.take(now, limits.events_per_second) ||
      (meter != nullptr && !meter->events.take(now, 1, limits.user_events_per_second)))
    return "Too many messages per second";
  if (!state.bytes.take(now, bytes, limits.bytes_per_second) ||
      (meter != nullptr &&
       !meter->bytes.take(now, bytes, limits.user_bytes_per_second)))
    return "Too many bytes per second";
  return std::nullopt;
}

bool find_place(session_state& state) {
  if (state.place)
    return true;
  auto found = crowd::enter(state.deps->clients, state.deps->limits.max_clients);
  if (!found)
    return false;
  state.place.emplace(std::move(*found));
  return true;
}

} // namespace jessica::actors::session_steps
