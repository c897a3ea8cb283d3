#include "actors/channel.hpp"

#include "actors/supervision.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = channel_actor::stateful_pointer<channel_state>;

/// Encodes a message at most once for each serializer version in use.
template <class Encode> class encoded {
public:
  /// `encode` gives the frame for a member; null: its version cannot carry it.
  explicit encoded(Encode encode) : encode_(std::move(encode)) {}

  [[nodiscard]] const wire::frame& for_member(const member& to) {
    auto& known = frames_[to.version == wire::serializer::v2 ? 1 : 0];
    if (!known.made) {
      known.frame = encode_(to);
      known.made = true;
    }
    return known.frame;
  }

private:
  struct slot {
    bool made = false;
    wire::frame frame;
  };
  Encode encode_;
  std::array<slot, 2> frames_;
};

void send_to_all(channel_state& state, const wire::app_broadcast& what,
                 socket_number sender) {
  auto frames = encoded{[&](const member& to) {
    return wire::encode_broadcast(to.version, to.topic, what);
  }};
  for (const auto& to : state.members) {
    if (!to.broadcasts || (to.socket == sender && !to.self))
      continue;
    if (const auto& frame = frames.for_member(to); frame && !to.out->push(frame))
      state.lost.push_back(to.socket);
  }
}

void tell_all(channel_state& state, std::string event, std::string payload) {
  constexpr auto server = socket_number{0};
  send_to_all(state, {std::move(event), true, std::move(payload)}, server);
}

[[nodiscard]] std::vector<member>::iterator find_member(channel_state& state,
                                                        socket_number socket) {
  return std::ranges::find(state.members, socket, &member::socket);
}

void end_when_unused(self_pointer self) {
  auto& state = self->state;
  if (state.members.empty() && state.replies.empty() && state.uses_expected == 0)
    self->send(state.hub, passivate{state.subject, state.seen});
}

void expect_one_less(channel_state& state) {
  state.uses_expected -= std::min(state.uses_expected, std::size_t{1});
}

// --- presence ------------------------------------------------------------------------

void send_presence_state(const channel_state& state, const member& to) {
  to.out->push(wire::encode_message(to.version, to.join_ref, std::nullopt, to.topic,
                                    "presence_state", state.here.state()));
}

void send_presence_diff(channel_state& state, std::string_view diff) {
  auto frames = encoded{[&](const member& to) {
    return wire::encode_message(to.version, std::nullopt, std::nullopt, to.topic,
                                "presence_diff", diff);
  }};
  for (const auto& to : state.members)
    if (to.presence && !to.out->push(frames.for_member(to)))
      state.lost.push_back(to.socket);
}

void show(channel_state& state, const track& msg) {
  const auto who = find_member(state, msg.socket);
  if (who != state.members.end())
    send_presence_diff(state,
                       state.here.track(msg.socket, who->presence_key, msg.meta));
}

void hide(channel_state& state, socket_number socket) {
  if (const auto diff = state.here.untrack(socket))
    send_presence_diff(state, *diff);
}

// --- members -------------------------------------------------------------------------

void remove_member(channel_state& state, socket_number socket) {
  std::erase_if(state.members, [&](const member& who) { return who.socket == socket; });
  state.slow.forget(socket);
  state.stored.forget(socket);
  hide(state, socket);
}

/// Members whose SESSION died without a word leave as soon as their socket is found
/// closed. Their own going may find others.
void remove_lost(self_pointer self) {
  auto& state = self->state;
  if (state.lost.empty())
    return;
  while (!state.lost.empty()) {
    const auto socket = state.lost.back();
    state.lost.pop_back();
    remove_member(state, socket);
  }
  end_when_unused(self);
}

void send_snapshots(const channel_state& state, const member& to) {
  for (const auto& [id, reply] : state.replies) {
    auto snapshot =
        wire::reply_snapshot({id, reply.attempt}, reply.seq, reply.text, "streaming");
    if (auto frame = wire::encode_broadcast(
            to.version, to.topic, {"reply.snapshot", true, std::move(snapshot)}))
      to.out->push(std::move(frame));
  }
}

void add_member(channel_state& state, member who) {
  remove_member(state, who.socket);
  who.out->push(wire::encode_reply(who.version, who.join_ref, who.ref, who.topic, true,
                                   who.join_response));
  if (who.presence)
    send_presence_state(state, who);
  for (const auto& [event, payload] : who.greetings)
    who.out->push(wire::encode_message(who.version, who.join_ref, std::nullopt,
                                       who.topic, event, payload));
  if (who.broadcasts)
    send_snapshots(state, who);
  if (who.replayed)
    state.stored.await_replay(who);
  who.join_response = {};
  who.greetings = {};
  state.members.push_back(std::move(who));
}

/// What a member hears from now on it hears from its beginning.
void change_hearing(channel_state& state, const hear& msg) {
  const auto who = find_member(state, msg.socket);
  if (who == state.members.end())
    return;
  if (!std::exchange(who->presence, msg.presence) && msg.presence)
    send_presence_state(state, *who);
  if (!std::exchange(who->broadcasts, msg.broadcasts) && msg.broadcasts)
    send_snapshots(state, *who);
  if (!msg.broadcasts)
    state.slow.forget(msg.socket);
}

// --- stored broadcasts ---------------------------------------------------------------

[[nodiscard]] done tell_stored_to_all(channel_state& state, const relay_stored& msg) {
  for (const auto& one : msg.what)
    state.stored.tell(state.members, one);
  return {};
}

void expect_own_of(channel_state& state, const expect_own& msg) {
  if (find_member(state, msg.socket) != state.members.end())
    state.stored.expect_own(msg.socket, msg.id);
}

void replay_past(channel_state& state, const replay_to& msg) {
  const auto who = find_member(state, msg.socket);
  if (who != state.members.end())
    state.stored.replay(*who, msg.join_ref, msg.what);
}

void greet_member(channel_state& state, const greet& msg) {
  const auto who = find_member(state, msg.socket);
  if (who != state.members.end() && who->join_ref == msg.join_ref)
    who->out->push(wire::encode_message(who->version, who->join_ref, std::nullopt,
                                        who->topic, msg.what.event, msg.what.payload));
}

// --- replies -------------------------------------------------------------------------

void begin_reply(channel_state& state, const reply_begun& msg) {
  const auto of = wire::reply_ref{msg.what.reply, msg.what.attempt};
  auto& reply = state.replies[of.reply];
  reply = {of.attempt, 0, {}};
  (void)state.slow.take(of.reply); // of an attempt that counts no more
  if (msg.resumed) {
    // We replaced a CHANNEL that failed: members that came back know nothing yet.
    reply.seq = msg.resumed->seq;
    reply.text = msg.resumed->text;
    tell_all(state, "reply.snapshot",
             wire::reply_snapshot(of, reply.seq, reply.text, "streaming"));
    return;
  }
  if (of.attempt > 1)
    tell_all(state, "reply.reset", wire::reply_reset(of, "retry"));
  tell_all(state, "reply.started", wire::reply_started(msg.what, msg.model));
}

/// The part of a running reply from `start` on, in one delta.
[[nodiscard]] wire::app_broadcast
delta_from(wire::reply_ref of, const running_reply& reply, delta_start start) {
  return {"reply.delta", true,
          wire::reply_delta(of, start.first_seq, reply.seq,
                            std::string_view{reply.text}.substr(start.offset))};
}

void grow_reply(channel_state& state, const reply_grew& msg) {
  const auto found = state.replies.find(msg.of.reply);
  if (found == state.replies.end() || found->second.attempt != msg.of.attempt)
    return;
  auto& reply = found->second;
  const auto now = delta_start{msg.first_seq, reply.text.size()};
  reply.seq = msg.seq;
  reply.text += msg.text;
  const auto what = delta_from(msg.of, reply, now);
  auto frames = encoded{[&](const member& to) {
    return wire::encode_broadcast(to.version, to.topic, what);
  }};
  for (const auto& to : state.members) {
    if (!to.broadcasts)
      continue;
    const auto start = state.slow.next(to, msg.of.reply, now);
    if (!start)
      continue;
    const auto frame = start == now
                           ? frames.for_member(to)
                           : wire::encode_broadcast(to.version, to.topic,
                                                    delta_from(msg.of, reply, *start));
    if (!to.out->push(frame))
      state.lost.push_back(to.socket);
  }
}

/// A reply ends: who was too slow for its last deltas gets them in one.
void catch_up(channel_state& state, wire::reply_ref of, const running_reply& reply) {
  for (const auto& [socket, id, start] : state.slow.take(of.reply)) {
    const auto to = find_member(state, socket);
    if (to != state.members.end())
      to->out->push(
          wire::encode_broadcast(to->version, to->topic, delta_from(of, reply, start)));
  }
}

void end_reply(channel_state& state, const reply_over& msg) {
  const auto found = state.replies.find(msg.of.reply);
  const auto known = found != state.replies.end();
  // One that was stopped before it began is news, too.
  if (known ? found->second.attempt != msg.of.attempt
            : msg.end != reply_over::how::cancelled)
    return;
  if (known) {
    catch_up(state, msg.of, found->second);
    state.replies.erase(found);
  }
  switch (msg.end) {
  case reply_over::how::completed:
    return tell_all(
        state, "reply.completed",
        wire::reply_completed(msg.of, msg.seq, msg.finish_reason, msg.used));
  case reply_over::how::cancelled:
    return tell_all(state, "reply.cancelled",
                    wire::reply_cancelled(msg.of, msg.seq, msg.used));
  case reply_over::how::failed:
    return tell_all(state, "reply.failed",
                    wire::reply_failed(msg.of, msg.seq, "engine_failed", msg.what));
  case reply_over::how::retrying:
  case reply_over::how::lost:
    return; // the next attempt announces itself with reply.reset
  }
}

} // namespace

channel_actor::behavior_type channel(self_pointer self, topic subject, hub_actor hub) {
  guard(self, "CHANNEL");
  self->state.subject = std::move(subject);
  self->state.hub = std::move(hub);
  return {
      [self](admit& msg) {
        ++self->state.seen;
        add_member(self->state, std::move(msg.member));
      },
      [self](expect_use) {
        ++self->state.seen;
        ++self->state.uses_expected;
      },
      [self](leave msg) {
        remove_member(self->state, msg.socket);
        remove_lost(self);
        end_when_unused(self);
      },
      [self](const broadcast& msg) {
        send_to_all(self->state, msg.what, msg.sender);
        remove_lost(self);
      },
      [self](const track& msg) {
        show(self->state, msg);
        remove_lost(self);
      },
      [self](untrack msg) {
        hide(self->state, msg.socket);
        remove_lost(self);
      },
      [self](hear msg) { change_hearing(self->state, msg); },
      [self](const relay_stored& msg) { return tell_stored_to_all(self->state, msg); },
      [self](const expect_own& msg) { expect_own_of(self->state, msg); },
      [self](const forget_own& msg) {
        self->state.stored.forget_own(msg.socket, msg.id);
      },
      [self](const replay_to& msg) { replay_past(self->state, msg); },
      [self](const greet& msg) { greet_member(self->state, msg); },
      [self](const reply_begun& msg) {
        expect_one_less(self->state);
        begin_reply(self->state, msg);
        remove_lost(self);
      },
      [self](const reply_grew& msg) {
        grow_reply(self->state, msg);
        remove_lost(self);
      },
      [self](const reply_over& msg) {
        if (!self->state.replies.contains(msg.of.reply))
          expect_one_less(self->state); // it ended before it began
        end_reply(self->state, msg);
        remove_lost(self);
        end_when_unused(self);
      },
      [self](done) { self->quit(); },
  };
}

} // namespace jessica::actors
