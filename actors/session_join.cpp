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
  std::vector<wire::change_binding> changes;
  std::string problem; ///< with one of them
};

/// How CHANGEFEED knows a channel of ours.
[[nodiscard]] change_subscriber
subscriber_of(const session_state& state, const std::string& spelled,
              const std::optional<std::string>& join_ref,
              std::shared_ptr<const identity> who,
              std::vector<wire::change_binding> changes) {
  return {
      state.socket.number, state.socket.out,  state.socket.version, spelled, join_ref,
      std::move(who),      std::move(changes)};
}

void adopt(self_pointer self, joined_topic& joined, std::shared_ptr<const identity> who,
           std::string token) {
  joined.who = std::move(who);
  joined.token = std::move(token);
  if (joined.changes.empty())
    return;
  auto anew = subscribe_changes{subscriber_of(
      self->state, joined.spelled, joined.join_ref, joined.who, joined.changes)};
  self->request(self->state.deps->changefeed, caf::infinite, std::move(anew))
      .then([](const changes_subscribed&) {}, // judged by the new claims from now on
            [](const caf::error&) {});        // the feed is away: it told the client
}

/// What the CHANNEL does for the member follows from its rights.
void change_rights(self_pointer self, joined_topic& joined,
                   storage::topic_rights rights) {
  joined.rights = rights;
  const auto socket = self->state.socket.number;
  if (!rights.presence_write)
    self->send(joined.channel, untrack{socket});
  self->send(joined.channel,
             hear{socket, rights.read, joined.presence && rights.presence_read});
}

/// What a join may ask for about stored broadcasts.
void follow_stored(self_pointer self, const std::string& topic_name,
                   const std::optional<wire::replay_wish>& wish, bool ready) {
  if (wish)
    replay(self, topic_name, *wish);
  if (ready)
    await_replication(self, topic_name);
}

/// Whoever may not hear broadcasts hears none of the past either.
[[nodiscard]] std::optional<wire::replay_wish> replay_of(const join_attempt& attempt,
                                                         storage::topic_rights rights) {
  return rights.read ? attempt.asked.replay : std::nullopt;
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
             .broadcasts = rights.read,
             .replayed = replay_of(attempt, rights).has_value(),
             .presence = attempt.asked.presence && rights.presence_read,
             .presence_key = std::move(attempt.asked.presence_key),
             .join_response = wire::join_response(attempt.asked.postgres_changes),
             .greetings = {}};
  auto joined = joined_topic{.channel = {},
                             .join_ref = push.join_ref,
                             .room = attempt.room,
                             .spelled = push.topic,
                             .who = std::move(attempt.who),
                             .token = attempt.asked.access_token.value_or(""),
                             .rights = rights,
                             .ack = attempt.asked.ack,
                             .self = attempt.asked.self,
                             .changes = std::move(attempt.changes),
                             .presence = attempt.asked.presence};
  if (who.presence_key.empty())
    who.presence_key = uuid::make().str();
  if (!attempt.asked.postgres_changes.empty())
    who.greetings.push_back(
        {"system",
         wire::system_message("postgres_changes", attempt.problem.empty(),
                              attempt.problem.empty() ? "Subscribed to PostgreSQL"
                                                      : attempt.problem,
                              attempt.room.name)});
  self->request(state.deps->hub, caf::infinite,
                join_topic{std::move(attempt.room), std::move(who)})
      .then(
          [self, frame, joined, wish = replay_of(attempt, rights),
           ready = attempt.asked.replication_ready](channel_actor& opened) mutable {
            self->monitor(opened);
            joined.channel = std::move(opened);
            self->state.topics.insert_or_assign(frame->push.topic, std::move(joined));
            follow_stored(self, frame->push.topic, wish, ready);
            go_on(self, frame);
          },
          [self, frame, left = joined](const caf::error& why) {
            if (!left.changes.empty())
              self->send(self->state.deps->changefeed,
                         unsubscribe_changes{self->state.socket.number, left.spelled,
                                             left.join_ref});
            refuse(self, frame, wire::channel_reason(from_caf(why), frame->push.topic));
          });
}

/// The bindings that make sense; what is wrong with the first that does not.
void read_changes(join_attempt& attempt) {
  for (const auto& json : attempt.asked.postgres_changes) {
    auto binding = wire::read_change_binding(json);
    if (!binding && attempt.problem.empty())
      attempt.problem = "Unable to subscribe to changes with given parameters. " +
                        binding.error().what;
    // A binding keeps its place, which is its id: one that is wrong follows nothing.
    attempt.changes.push_back(binding ? std::move(*binding) : wire::change_binding{});
    if (!binding)
      attempt.changes.back().schema.clear();
  }
}

/// The join is answered when the feed's position is fixed: nothing that is committed
/// after the answer is missed.
void follow_then_admit(self_pointer self, const exchange_ptr& frame,
                       join_attempt attempt, storage::topic_rights rights) {
  read_changes(attempt);
  if (attempt.changes.empty())
    return admit_to(self, frame, std::move(attempt), rights);
  auto question = subscribe_changes{subscriber_of(self->state, frame->push.topic,
                                                  frame->push.join_ref, attempt.who,
                                                  attempt.changes)};
  self->request(self->state.deps->changefeed, caf::infinite, std::move(question))
      .then(
          [self, frame, attempt, rights](const changes_subscribed& got) mutable {
            if (attempt.problem.empty())
              attempt.problem = got.problem;
            admit_to(self, frame, std::move(attempt), rights);
          },
          [self, frame, name = attempt.room.name](const caf::error& why) {
            refuse(self, frame, wire::channel_reason(from_caf(why), name));
          });
}

void probe_then_admit(self_pointer self, const exchange_ptr& frame,
                      join_attempt attempt) {
  auto question = probe_topic{*attempt.who, attempt.room.name};
  self->request(self->state.deps->readers, caf::infinite, std::move(question))
      .then(
          [self, frame, attempt](storage::topic_rights rights) {
            if (rights.join())
              return follow_then_admit(self, frame, attempt, rights);
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
    return refuse(
        self, frame,
        (asked.error().reason == "unable_to_replay" ? "" : "InvalidJoinPayload: ") +
            asked.error().what);
  if (asked->replay && !asked->is_private)
    return refuse(self, frame,
                  "UnableToReplayMessages: Replay is not allowed for public channels");
  auto who = identity_of(state, asked->access_token);
  if (!who)
    return refuse(self, frame, wire::channel_reason(who.error(), *name));
  auto attempt =
      join_attempt{std::move(*asked), {std::string{*name}, false}, *who, {}, {}};
  attempt.room.is_private = attempt.asked.is_private;
  if (attempt.room.is_private)
    return probe_then_admit(self, frame, std::move(attempt));
  follow_then_admit(self, frame, std::move(attempt), {true, true, true, true});
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
    adopt(self, joined, *who, **token);
    return go_on(self, frame);
  }
  self->request(state.deps->readers, caf::infinite,
                probe_topic{**who, joined.room.name})
      .then(
          [self, frame, who = *who, text = **token](storage::topic_rights rights) {
            const auto found = self->state.topics.find(frame->push.topic);
            if (found != self->state.topics.end()) {
              if (rights.join()) {
                adopt(self, found->second, who, text);
                change_rights(self, found->second, rights);
              } else {
                evict(self, frame->push.topic,
                      wire::channel_reason({errc::forbidden, {}, {}, nullptr},
                                           found->second.room.name));
              }
            }
            go_on(self, frame);
          },
          // The old rights hold until the database can be asked again.
          [self, frame](const caf::error&) { go_on(self, frame); });
}

} // namespace jessica::actors::session_steps
