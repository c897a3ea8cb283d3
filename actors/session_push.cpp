#include "actors/errors.hpp"
#include "actors/reserved_events.hpp"
#include "actors/session_steps.hpp"
#include "wire/memory_json.hpp"
#include "wire/quota.hpp"

#include <utility>

namespace jessica::actors::session_steps {
namespace {

void store_send(self_pointer self, const exchange_ptr& frame,
                const joined_topic& joined, const wire::app_broadcast& what) {
  auto& state = self->state;
  const auto id = conversation_id::parse(
      name_in(frame->push.topic).substr(conversation_prefix.size()));
  if (!id || !joined.who->signed_in())
    return refuse(self, frame, "unauthorized");
  auto sent = wire::read_send(what.payload, state.deps->max_content_bytes);
  if (!sent)
    return refuse(self, frame, sent.error().what);
  self->request(state.deps->persistence, caf::infinite,
                enqueue{turn{.author = joined.who->user,
                             .conversation = *id,
                             .opens = false,
                             .content = std::move(sent->content),
                             .client_id = std::move(sent->client_id),
                             .params = std::move(sent->params)}})
      .then(
          [self, frame](const receipt& stored) {
            reply(self->state, frame->push, true, wire::receipt_json(stored));
            go_on(self, frame);
          },
          [self, frame](const caf::error& why) { refuse(self, frame, from_caf(why)); });
}

void stop_one(self_pointer self, const exchange_ptr& frame, const joined_topic& joined,
              const wire::app_broadcast& what) {
  auto reply_id = wire::read_stop(what.payload, "id");
  if (!reply_id)
    return refuse(self, frame, reply_id.error().what);
  self->request(self->state.deps->dispatcher, caf::infinite,
                stop_reply{joined.who, *reply_id})
      .then(
          [self, frame](const stop_receipt& stopped) {
            reply(self->state, frame->push, true, wire::stop_json(stopped.status));
            go_on(self, frame);
          },
          [self, frame](const caf::error& why) { refuse(self, frame, from_caf(why)); });
}

/// memory.search: of the channel's user, whatever conversation the channel is of.
void search_memories(self_pointer self, const exchange_ptr& frame,
                     const joined_topic& joined, const wire::app_broadcast& what) {
  const auto& deps = *self->state.deps;
  if (!joined.who->signed_in())
    return refuse(self, frame, "unauthorized");
  auto asked = wire::read_memory_search(what.payload, deps.max_memories);
  if (!asked)
    return refuse(self, frame, asked.error().what);
  if (asked->user && *asked->user != joined.who->user)
    return refuse(self, frame, "user_id is for the service role");
  if (!deps.memory)
    return refuse(self, frame, "no_memory");
  self->request(deps.memory, caf::infinite,
                search_memory{{joined.who->user, joined.who}, std::move(asked->what)})
      .then(
          [self, frame](const memories_found& found) {
            constexpr auto most_bytes = std::size_t{262'144};
            reply(self->state, frame->push, true,
                  R"({"memories":)" + wire::memories_json(found.found, most_bytes) +
                      '}');
            go_on(self, frame);
          },
          [self, frame](const caf::error& why) { refuse(self, frame, from_caf(why)); });
}

} // namespace

void refuse(self_pointer self, const exchange_ptr& frame, const error& why) {
  const auto over = wire::read_refusal(why);
  if (!over)
    return refuse(self, frame, why.reason.empty() ? name(why.code) : why.reason);
  reply(self->state, frame->push, false, wire::channel_refusal(*over));
  go_on(self, frame);
}

void publish(self_pointer self, const exchange_ptr& frame, const joined_topic& joined) {
  auto& state = self->state;
  const auto refuse_if_asked = [&](std::string_view reason) {
    if (joined.ack)
      refuse(state, frame->push, reason);
    go_on(self, frame);
  };
  auto what = wire::read_broadcast(frame->push);
  if (!what)
    return refuse_if_asked(what.error().what);
  if (joined.is_private && !joined.rights.write)
    return refuse_if_asked("unauthorized");
  const auto where = topic_view{name_in(frame->push.topic), joined.is_private};
  const auto in_conversation = is_conversation(where);
  if (in_conversation && what->event == "message.send")
    return store_send(self, frame, joined, *what);
  if (in_conversation && what->event == "reply.stop")
    return stop_one(self, frame, joined, *what);
  if (in_conversation && what->event == "memory.search")
    return search_memories(self, frame, joined, *what);
  if (is_reserved(where, what->event))
    return refuse_if_asked("reserved_event");
  if (what->payload.size() > state.deps->limits.payload_bytes)
    return refuse_if_asked("payload_size_exceeded");
  auto stored = wire::read_persist(frame->push.binary ? frame->push.binary->metadata
                                                      : std::string{});
  if (!stored)
    return refuse_to_store(self, frame, stored.error().what);
  if (*stored)
    return store_and_answer(self, frame, joined, std::move(*what), **stored);
  const auto& [channel, room] = joined.room;
  self->send(channel, broadcast{room, state.socket.number, std::move(*what)});
  if (joined.ack)
    reply(state, frame->push, true, "{}");
  go_on(self, frame);
}

} // namespace jessica::actors::session_steps
