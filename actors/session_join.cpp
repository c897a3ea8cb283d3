#include "actors/errors.hpp"
#include "actors/session_steps.hpp"
#include "wire/channel.hpp"
#include "wire/channel_answers.hpp"
#include "wire/problem.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>
#include <format>
#include <utility>

namespace jessica::actors::session_steps {
namespace {

constexpr auto too_many_joins =
    std::string_view{"ClientJoinRateLimitReached: Too many joins per second"};

/// A join whose rights are being asked for.
struct join_attempt {
  wire::join_request asked;
  topic room;
  std::shared_ptr<const identity> who;
  std::vector<wire::change_binding> changes;
  std::string problem; ///< with one of them
  std::shared_ptr<user_meter> meter;
};

/// The join came to nothing after CHANGEFEED took it, in the place of an older one of
/// the topic, if there was one: that one is over, too.
void follow_no_more(self_pointer self, const exchange_ptr& frame) {
  close_topic(self, frame->push.topic);
  self->send(self->state.deps->changefeed,
             unsubscribe_changes{self->state.socket.number, frame->push.topic,
                                 frame->push.join_ref});
}

/// What a join may ask for about stored broadcasts.
void follow_stored(self_pointer self, const std::string& topic_name,
                   const std::optional<wire::replay_wish>& wish, bool ready) {
  if (wish)
    replay(self, topic_name, *wish);
  if (ready)
    await_replication(self, topic_name);
}

/// Admitted; unless its login ended meanwhile.
void enter_topic(self_pointer self, const exchange_ptr& frame, joined_topic joined,
                 const std::optional<wire::replay_wish>& wish, bool ready) {
  auto& state = self->state;
  const auto over = is_over(state, *joined.who);
  self->monitor(joined.channel);
  state.topics.insert_or_assign(frame->push.topic, std::move(joined));
  if (over)
    evict(self, frame->push.topic, session_over().what);
  else
    follow_stored(self, frame->push.topic, wish, ready);
  end_expired(self);
  go_on(self, frame);
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
  if (is_over(state, *attempt.who)) {
    if (!attempt.changes.empty())
      follow_no_more(self, frame);
    return refuse(self, frame, wire::channel_reason(session_over(), attempt.room.name));
  }
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
                             .meter = std::move(attempt.meter),
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
            joined.channel = std::move(opened);
            enter_topic(self, frame, std::move(joined), wish, ready);
          },
          [self, frame, follows = !joined.changes.empty()](const caf::error& why) {
            if (follows)
              follow_no_more(self, frame);
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

/// How long this join may wait for its changes.
[[nodiscard]] std::chrono::milliseconds patience_of(const session_state& state,
                                                    const join_attempt& attempt) {
  return std::min(attempt.asked.changes_timeout, state.deps->longest_join);
}

void refuse_changes(self_pointer self, const exchange_ptr& frame,
                    const join_attempt& attempt, const error& why) {
  follow_no_more(self, frame); // it may have come through all the same
  if (why.code == errc::timeout)
    return refuse(self, frame,
                  std::format("PostgresChangesSubscribeTimeout: Timed out after {}ms "
                              "waiting for the postgres_changes subscription",
                              patience_of(self->state, attempt).count()));
  refuse(self, frame, wire::channel_reason(why, attempt.room.name));
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
  self->request(self->state.deps->changefeed, patience_of(self->state, attempt),
                std::move(question))
      .then(
          [self, frame, attempt, rights](const changes_subscribed& got) mutable {
            if (attempt.problem.empty())
              attempt.problem = got.problem;
            if (attempt.asked.changes_wait && !attempt.problem.empty()) {
              follow_no_more(self, frame);
              return refuse(self, frame,
                            "RealtimeDisabledForConfiguration: " + attempt.problem);
            }
            admit_to(self, frame, std::move(attempt), rights);
          },
          [self, frame, attempt](const caf::error& why) {
            refuse_changes(self, frame, attempt, from_caf(why));
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

void look_at_rights(self_pointer self, const exchange_ptr& frame,
                    join_attempt attempt) {
  if (attempt.room.is_private)
    return probe_then_admit(self, frame, std::move(attempt));
  follow_then_admit(self, frame, std::move(attempt), {true, true, true, true});
}

void join_as(self_pointer self, const exchange_ptr& frame, join_attempt attempt) {
  const auto who = attempt.who;
  with_login(
      self, *who,
      [self, frame, attempt](std::shared_ptr<user_meter> meter) mutable {
        const auto limit = self->state.deps->limits.user_joins_per_second;
        if (meter && !meter->joins.take(self->clock().now(), 1, limit))
          return hang_up(self, frame, too_many_joins);
        attempt.meter = std::move(meter);
        look_at_rights(self, frame, std::move(attempt));
      },
      [self, frame, name = attempt.room.name](const error& why) {
        refuse(self, frame, wire::channel_reason(why, name));
      });
}

} // namespace

change_subscriber subscriber_of(const session_state& state, const std::string& spelled,
                                const std::optional<std::string>& join_ref,
                                std::shared_ptr<const identity> who,
                                std::vector<wire::change_binding> changes) {
  return {
      state.socket.number, state.socket.out,  state.socket.version, spelled, join_ref,
      std::move(who),      std::move(changes)};
}

void join(self_pointer self, const exchange_ptr& frame) {
  auto& state = self->state;
  const auto& push = frame->push;
  const auto& limits = state.deps->limits;
  if (!state.joins.take(self->clock().now(), limits.joins_per_second))
    return hang_up(self, frame, too_many_joins);
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
  if (!asked->is_private && !limits.public_channels)
    return refuse(self, frame,
                  "PrivateOnly: This project only allows private channels");
  if (asked->replay && !asked->is_private)
    return refuse(self, frame,
                  "UnableToReplayMessages: Replay is not allowed for public channels");
  if (!find_place(state))
    return refuse(self, frame, "ConnectionRateLimitReached: Too many connected users");
  auto who = identity_of(state, asked->access_token);
  if (!who)
    return refuse(self, frame, wire::channel_reason(who.error(), *name));
  auto attempt =
      join_attempt{std::move(*asked), {std::string{*name}, false}, *who, {}, {}, {}};
  attempt.room.is_private = attempt.asked.is_private;
  join_as(self, frame, std::move(attempt));
}

} // namespace jessica::actors::session_steps
