#include "actors/session_steps.hpp"
#include "wire/presence.hpp"

#include <format>
#include <utility>

namespace jessica::actors::session_steps {

void change_presence(self_pointer self, const exchange_ptr& frame,
                     joined_topic& joined) {
  auto& state = self->state;
  const auto& limits = state.deps->limits;
  if (!joined.presence_calls.take(self->clock().now(), limits.presence_per_channel)) {
    evict(self, frame->push.topic, "Too many presence messages per second");
    return go_on(self, frame);
  }
  auto call = wire::read_presence(frame->push);
  if (!call)
    return refuse(self, frame, call.error().what);
  if (call->meta && !joined.rights.presence_write)
    return refuse(self, frame, "unauthorized");
  if (call->meta && call->meta->size() > limits.presence_bytes)
    return refuse(self, frame,
                  std::format("payload_size_exceeded: a presence is at most {} bytes",
                              limits.presence_bytes));
  reply(state, frame->push, true, "{}"); // the diff follows it
  if (call->meta)
    self->send(joined.room.channel,
               track{joined.room.number, state.socket.number, std::move(*call->meta)});
  else
    self->send(joined.room.channel, untrack{joined.room.number, state.socket.number});
  go_on(self, frame);
}

} // namespace jessica::actors::session_steps
