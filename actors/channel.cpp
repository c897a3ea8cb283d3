#include "actors/channel.hpp"

#include "actors/supervision.hpp"
#include "ops/metrics.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = channel_actor::stateful_pointer<channel_state>;

[[nodiscard]] ops::gauge& open_rooms() {
  static auto shown = ops::gauge{"jessica_actors_channels", "Live topics"};
  return shown;
}

[[nodiscard]] room_number new_number() noexcept {
  static auto last = std::atomic<room_number>{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

[[nodiscard]] std::pair<const room_number, room>& find_or_open(channel_state& state,
                                                               topic_view what) {
  if (const auto known = state.numbers.find(what); known != state.numbers.end())
    return *state.rooms.find(known->second);
  auto& made = *state.rooms.try_emplace(new_number(), what).first;
  state.numbers.emplace(made.second.subject(), made.first);
  open_rooms().add(1);
  return made;
}

/// Does something to a room, which ends when nobody uses it any more. What comes for a
/// room that has ended is for nobody.
template <class Act> void in_room(channel_state& state, room_number which, Act act) {
  const auto found = state.rooms.find(which);
  if (found == state.rooms.end())
    return;
  act(found->second);
  if (!found->second.unused())
    return;
  state.numbers.erase(found->second.subject());
  state.rooms.erase(found);
  open_rooms().add(-1);
}

template <class Act> void in_room_of(channel_state& state, topic_view what, Act act) {
  if (const auto known = state.numbers.find(what); known != state.numbers.end())
    in_room(state, known->second, std::move(act));
}

[[nodiscard]] open_room admit(self_pointer self, join_topic& msg) {
  auto& [number, where] = find_or_open(self->state, msg.topic);
  msg.who.member.session = caf::actor_cast<caf::weak_actor_ptr>(self->current_sender());
  where.admit(std::move(msg.who));
  return {channel_actor{self}, number};
}

[[nodiscard]] done relay(channel_state& state, const relay_stored& msg) {
  for (const auto& one : msg.what)
    in_room_of(state, {one->topic, one->is_private},
               [&](room& at) { at.tell_stored(one); });
  return {};
}

} // namespace

channel_state::~channel_state() {
  const auto tell = [](const member& who, room_number lost) {
    if (const auto session = who.session.lock())
      caf::anon_send(caf::actor_cast<caf::actor>(session), room_lost{lost});
  };
  for (const auto& [number, lost] : rooms) {
    for (const auto& who : lost.members())
      tell(who, number);
    for (const auto& who : lost.arriving())
      tell(who.member, number);
  }
  open_rooms().add(-static_cast<double>(rooms.size()));
}

channel_actor::behavior_type channel(self_pointer self) {
  guard(self, "CHANNEL");
  const auto in = [self](room_number which, auto act) {
    in_room(self->state, which, std::move(act));
  };
  return {
      [self](join_topic& msg) { return admit(self, msg); },
      [self](const open_topic& msg) -> open_room {
        auto& [number, where] = find_or_open(self->state, msg.topic);
        where.expect_use();
        return {channel_actor{self}, number};
      },
      [in](leave msg) { in(msg.room, [&](room& at) { at.leave(msg.socket); }); },
      [in](const broadcast& msg) {
        in(msg.room, [&](room& at) { at.tell(msg.what, msg.sender); });
      },
      [in](const track& msg) { in(msg.room, [&](room& at) { at.show(msg); }); },
      [in](untrack msg) { in(msg.room, [&](room& at) { at.hide(msg.socket); }); },
      [in](hear msg) { in(msg.room, [&](room& at) { at.change_hearing(msg); }); },
      [self](const publish_on& msg) {
        in_room_of(self->state, msg.topic,
                   [&](room& at) { at.tell(msg.what, socket_number{0}); });
      },
      [self](const relay_stored& msg) { return relay(self->state, msg); },
      [in](const expect_own& msg) {
        in(msg.room, [&](room& at) { at.expect_own(msg); });
      },
      [in](const forget_own& msg) {
        in(msg.room, [&](room& at) { at.forget_own(msg); });
      },
      [in](const replay_to& msg) { in(msg.room, [&](room& at) { at.replay(msg); }); },
      [in](const greet& msg) { in(msg.room, [&](room& at) { at.greet(msg); }); },
      [in](const reply_begun& msg) {
        in(msg.room, [&](room& at) { at.begin_reply(msg); });
      },
      [in](const reply_grew& msg) {
        in(msg.room, [&](room& at) { at.grow_reply(msg); });
      },
      [in](const reply_over& msg) {
        in(msg.room, [&](room& at) { at.end_reply(msg); });
      },
  };
}

} // namespace jessica::actors
