#include "actors/running_replies.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

void tell(const audience& to, std::string event, std::string payload) {
  constexpr auto server = socket_number{0};
  to.tell({std::move(event), true, std::move(payload)}, server);
}

} // namespace

bool running_replies::runs(message_id reply) const {
  return std::ranges::contains(replies_, reply, &running::id);
}

std::vector<running_replies::running>::iterator
running_replies::find(message_id reply) {
  return std::ranges::find(replies_, reply, &running::id);
}

void running_replies::begin(const audience& to, const reply_begun& msg) {
  const auto of = wire::reply_ref{msg.what.reply, msg.what.attempt};
  auto found = find(of.reply);
  if (found != replies_.end() && of.attempt < found->attempt)
    return;
  if (found == replies_.end())
    found = replies_.insert(found, running{});
  auto& reply = *found;
  reply = {of.reply, of.attempt, 0, {}, msg.memories};
  (void)slow_.take(of.reply); // of an attempt that counts no more
  if (msg.resumed) {
    // We replaced a room that failed: members that came back know nothing yet.
    reply.seq = msg.resumed->seq;
    reply.text = msg.resumed->text;
    return tell(
        to, "reply.snapshot",
        wire::reply_snapshot(of, reply.seq, reply.text, "streaming", reply.memories));
  }
  if (of.attempt > 1)
    tell(to, "reply.reset",
         wire::reply_reset(of, msg.goes_on.empty() ? "retry" : "continue"));
  tell(to, "reply.started", wire::reply_started(msg.what, msg.model, msg.memories));
  if (msg.goes_on.empty())
    return;
  reply.text = msg.goes_on;
  tell(to, "reply.snapshot",
       wire::reply_snapshot(of, reply.seq, reply.text, "streaming", reply.memories));
}

namespace {

/// The part of a running reply from `start` on, in one delta.
[[nodiscard]] wire::app_broadcast delta_from(wire::reply_ref of, std::uint64_t seq,
                                             std::string_view text, delta_start start) {
  return {"reply.delta", true,
          wire::reply_delta(of, start.first_seq, seq, text.substr(start.offset))};
}

} // namespace

void running_replies::grow(const audience& to, const reply_grew& msg) {
  const auto found = find(msg.of.reply);
  if (found == replies_.end() || found->attempt != msg.of.attempt)
    return;
  auto& reply = *found;
  const auto now = delta_start{msg.first_seq, reply.text.size()};
  reply.seq = msg.seq;
  reply.text += msg.text;
  const auto what = delta_from(msg.of, reply.seq, reply.text, now);
  auto frames = encoded{[&](wire::serializer version) {
    return wire::encode_broadcast(version, to.topic, what);
  }};
  for (const auto& one : to.members) {
    if (!one.broadcasts)
      continue;
    const auto start = slow_.next(one, msg.of.reply, now);
    if (!start)
      continue;
    if (start == now)
      to.push(one, frames.for_member(one));
    else
      to.push(one, wire::encode_broadcast(
                       one.version, to.topic,
                       delta_from(msg.of, reply.seq, reply.text, *start)));
  }
}

void running_replies::catch_up(const audience& to, const running& reply) {
  const auto of = wire::reply_ref{reply.id, reply.attempt};
  for (const auto& [socket, id, start] : slow_.take(reply.id))
    if (const auto* const who = to.find(socket))
      to.push(*who,
              wire::encode_broadcast(who->version, to.topic,
                                     delta_from(of, reply.seq, reply.text, start)));
}

void running_replies::end(const audience& to, const reply_over& msg) {
  const auto found = find(msg.of.reply);
  const auto known = found != replies_.end();
  // One that was stopped before it began is news, too.
  if (known ? found->attempt != msg.of.attempt : msg.end != reply_over::how::cancelled)
    return;
  if (known) {
    catch_up(to, *found);
    replies_.erase(found);
  }
  switch (msg.end) {
  case reply_over::how::completed:
    return tell(to, "reply.completed",
                wire::reply_completed(msg.of, msg.seq, msg.finish_reason, msg.used));
  case reply_over::how::cancelled:
    return tell(to, "reply.cancelled",
                wire::reply_cancelled(msg.of, msg.seq, msg.used));
  case reply_over::how::failed:
    return tell(to, "reply.failed",
                wire::reply_failed(msg.of, msg.seq, "engine_failed", msg.what));
  case reply_over::how::retrying:
  case reply_over::how::lost:
    return; // the next attempt announces itself with reply.reset
  }
}

void running_replies::show(const audience& in, const member& to) const {
  for (const auto& reply : replies_) {
    auto snapshot = wire::reply_snapshot({reply.id, reply.attempt}, reply.seq,
                                         reply.text, "streaming", reply.memories);
    if (auto frame = wire::encode_broadcast(
            to.version, in.topic, {"reply.snapshot", true, std::move(snapshot)}))
      to.out->push(std::move(frame));
  }
}

void running_replies::forget(socket_number socket) {
  slow_.forget(socket);
}

} // namespace jessica::actors
