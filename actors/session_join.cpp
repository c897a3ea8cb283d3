#include "actors/errors.hpp"
#include "actors/session_steps.hpp"
#include "wire/channel.hpp"
#include "wire/channel_answers.hpp"
#include "wire/problem.hpp"

#include <caf/send.hpp>

#include <utility>

namespace jessica::actors::session_steps {
namespace {

/// A join whose rights are being asked for.
struct join_attempt {
  wire::join_request asked;
  topic room;
  std::shared_ptr<const identity> who;
};

void adopt(joined_topic& joined, std::shared_ptr<const identity> who, std::string token,
           storage::topic_rights rights) {
  joined.who = std::move(who);
  joined.token = std::move(token);
  joined.rights = rights;
}

void admit_to(self_pointer self, const exchange_ptr& frame, join_attempt attempt,
              storage::topic_rights rights) {
  auto& state = self->state;
  const auto& push = frame->push;
  close_topic(self, push.topic); // an older join of the same topic
  auto who =
      member{.socket = state.socket.number,
             .out = state.socket.out,
             .version = state.socket.version,
             .topic = push.topic,
             .join_ref = push.join_ref,
             .ref = push.ref,
             .self = attempt.asked.self,
             .join_response = wire::join_response(attempt.asked.postgres_changes),
             .greetings = {}};
  auto joined = joined_topic{.channel = {},
                             .join_ref = push.join_ref,
                             .room = attempt.room,
                             .who = std::move(attempt.who),
                             .token = attempt.asked.access_token.value_or(""),
                             .rights = rights,
                             .ack = attempt.asked.ack};
  if (attempt.asked.presence)
    who.greetings.push_back({"presence_state", "{}"});
  if (!attempt.asked.postgres_changes.empty())
    who.greetings.push_back(
        {"system",
         wire::system_message("postgres_changes", false, "Changes are not served yet",
                              attempt.room.name)});
  self->request(state.deps->hub, caf::infinite,
                join_topic{std::move(attempt.room), std::move(who)})
      .then(
          [self, frame, joined](channel_actor& opened) mutable {
            self->monitor(opened);
            joined.channel = std::move(opened);
            self->state.topics.insert_or_assign(frame->push.topic, std::move(joined));
            go_on(self, frame);
          },
          [self, frame](const caf::error& why) {
            refuse(self, frame, wire::channel_reason(from_caf(why), frame->push.topic));
          });
}

void probe_then_admit(self_pointer self, const exchange_ptr& frame,
                      join_attempt attempt) {
  auto question = probe_topic{*attempt.who, attempt.room.name};
  self->request(self->state.deps->readers, caf::infinite, std::move(question))
      .then(
          [self, frame, attempt](storage::topic_rights rights) {
            if (rights.read)
              return admit_to(self, frame, attempt, rights);
            const auto denied = error{errc::forbidden, {}, {}, nullptr};
            refuse(self, frame, wire::channel_reason(denied, attempt.room.name));
          },
          [self, frame, name = attempt.room.name](const caf::error& why) {
            refuse(self, frame, wire::channel_reason(from_caf(why), name));
          });
}

} // namespace

void join(self_pointer self, const exchange_ptr& frame) {
  auto& state = self->state;
  const auto& push = frame->push;
  const auto& limits = state.deps->limits;
  if (!state.joins.take(self->clock().now(), limits.joins_per_second))
    return refuse(self, frame, "ClientJoinRateLimitReached: Too many joins per second");
  if (push.topic.size() > limits.max_topic_bytes)
    return refuse(self, frame, "TopicNameTooLong: A topic is at most 255 bytes");
  const auto name = wire::channel_name(push.topic);
  if (!name)
    return refuse(self, frame, name.error().what);
  if (state.topics.size() >= limits.channels_per_socket &&
      !state.topics.contains(push.topic))
    return refuse(self, frame, "ChannelRateLimitReached: Too many channels");
  auto asked = wire::read_join(push.payload);
  if (!asked)
    return refuse(self, frame, "InvalidJoinPayload: " + asked.error().what);
  auto who = identity_of(state, asked->access_token);
  if (!who)
    return refuse(self, frame, wire::channel_reason(who.error(), *name));
  auto attempt = join_attempt{std::move(*asked), {std::string{*name}, false}, *who};
  attempt.room.is_private = attempt.asked.is_private;
  if (attempt.room.is_private)
    return probe_then_admit(self, frame, std::move(attempt));
  admit_to(self, frame, std::move(attempt), {true, true});
}

void renew_token(self_pointer self, const exchange_ptr& frame, joined_topic& joined) {
  auto& state = self->state;
  const auto& topic_name = frame->push.topic;
  auto token = wire::read_access_token(frame->push.payload);
  // Upstream answers nothing here: a client does not wait for a reply.
  if (!token || !*token || (*token)->starts_with("sb_") || **token == joined.token)
    return go_on(self, frame);
  auto who = identity_of(state, *token);
  if (!who) {
    evict(self, topic_name, wire::channel_reason(who.error(), joined.room.name));
    return go_on(self, frame);
  }
  if (!joined.room.is_private) {
    adopt(joined, *who, **token, joined.rights);
    return go_on(self, frame);
  }
  self->request(state.deps->readers, caf::infinite,
                probe_topic{**who, joined.room.name})
      .then(
          [self, frame, who = *who, text = **token](storage::topic_rights rights) {
            const auto found = self->state.topics.find(frame->push.topic);
            if (found != self->state.topics.end()) {
              if (rights.read)
                adopt(found->second, who, text, rights);
              else
                evict(self, frame->push.topic,
                      wire::channel_reason({errc::forbidden, {}, {}, nullptr},
                                           found->second.room.name));
            }
            go_on(self, frame);
          },
          // The old rights hold until the database can be asked again.
          [self, frame](const caf::error&) { go_on(self, frame); });
}

} // namespace jessica::actors::session_steps
