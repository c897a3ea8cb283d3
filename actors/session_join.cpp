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

/// A join under way, until it is answered.
struct join_attempt {
  exchange_ptr frame;
  wire::join_request asked;
  std::shared_ptr<const identity> who;
  std::shared_ptr<user_meter> meter;
  storage::topic_rights rights{true, true, true, true};
  std::vector<wire::change_binding> changes;
  std::string problem; ///< with one of them

  [[nodiscard]] std::string_view room() const noexcept {
    return name_in(frame->push.topic);
  }
  /// Whoever may not hear broadcasts hears none of the past either.
  [[nodiscard]] bool replays() const noexcept { return rights.read && asked.replay; }
};
using attempt_ptr = std::shared_ptr<join_attempt>;

void refuse(self_pointer self, const attempt_ptr& attempt, const error& why) {
  refuse(self, attempt->frame, wire::channel_reason(why, attempt->room()));
}

/// The join came to nothing after CHANGEFEED took it, in the place of an older one of
/// the topic, if there was one: that one is over, too.
void follow_no_more(self_pointer self, const exchange_ptr& frame) {
  close_topic(self, frame->push.topic);
  self->send(self->state.deps->changefeed,
             unsubscribe_changes{self->state.socket.number, frame->push.topic,
                                 frame->push.join_ref});
}

[[nodiscard]] joined_topic membership_of(join_attempt& attempt, open_room room) {
  return {.room = std::move(room),
          .join_ref = attempt.frame->push.join_ref,
          .is_private = attempt.asked.is_private,
          .who = attempt.who,
          .token = mark_of(attempt.asked.access_token.value_or("")),
          .meter = attempt.meter,
          .rights = attempt.rights,
          .ack = attempt.asked.ack,
          .self = attempt.asked.self,
          .presence = attempt.asked.presence,
          .changes = std::move(attempt.changes)};
}

/// What a join may ask for about stored broadcasts, then the next frame.
void follow_stored(self_pointer self, const attempt_ptr& attempt) {
  const auto await_feed = [self, attempt] {
    if (attempt->asked.replication_ready)
      await_replication(self, attempt->frame->push.topic);
  };
  if (attempt->replays())
    return replay(self, attempt->frame, *attempt->asked.replay, await_feed);
  await_feed();
  go_on(self, attempt->frame);
}

/// Admitted; unless its login ended meanwhile.
void enter_topic(self_pointer self, const attempt_ptr& attempt, open_room room) {
  auto& state = self->state;
  const auto& topic_name = attempt->frame->push.topic;
  state.topics.insert_or_assign(topic_name, membership_of(*attempt, std::move(room)));
  const auto over = is_over(state, *attempt->who);
  if (over)
    evict(self, topic_name, session_over().what);
  end_expired(self);
  if (over || !state.topics.contains(topic_name))
    return go_on(self, attempt->frame);
  follow_stored(self, attempt);
}

[[nodiscard]] newcomer newcomer_of(const session_state& state, join_attempt& attempt) {
  const auto& asked = attempt.asked;
  const auto& push = attempt.frame->push;
  auto who =
      newcomer{.member = {.socket = state.socket.number,
                          .out = state.socket.out,
                          .session = {},
                          .join_ref = push.join_ref,
                          .presence_key = std::move(attempt.asked.presence_key),
                          .version = state.socket.version,
                          .self = asked.self,
                          .broadcasts = attempt.rights.read,
                          .presence = asked.presence && attempt.rights.presence_read},
               .ref = push.ref,
               .join_response = wire::join_response(asked.postgres_changes),
               .greetings = {},
               .replayed = attempt.replays()};
  if (!asked.postgres_changes.empty())
    who.greetings.push_back(
        {"system",
         wire::system_message("postgres_changes", attempt.problem.empty(),
                              attempt.problem.empty() ? "Subscribed to PostgreSQL"
                                                      : attempt.problem,
                              attempt.room())});
  return who;
}

void admit(self_pointer self, const attempt_ptr& attempt) {
  auto& state = self->state;
  const auto& frame = attempt->frame;
  const auto follows = !attempt->changes.empty();
  if (is_over(state, *attempt->who)) {
    if (follows)
      follow_no_more(self, frame);
    return refuse(self, attempt, session_over());
  }
  close_topic(self, frame->push.topic); // an older join of the same topic
  auto where = topic{std::string{attempt->room()}, attempt->asked.is_private};
  self->request(state.deps->hub, caf::infinite,
                join_topic{std::move(where), newcomer_of(state, *attempt)})
      .then([self,
             attempt](open_room& room) { enter_topic(self, attempt, std::move(room)); },
            [self, attempt, follows](const caf::error& why) {
              if (follows)
                follow_no_more(self, attempt->frame);
              refuse(self, attempt, from_caf(why));
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

void refuse_changes(self_pointer self, const attempt_ptr& attempt, const error& why) {
  follow_no_more(self, attempt->frame); // it may have come through all the same
  if (why.code == errc::timeout)
    return refuse(self, attempt->frame,
                  std::format("PostgresChangesSubscribeTimeout: Timed out after {}ms "
                              "waiting for the postgres_changes subscription",
                              patience_of(self->state, *attempt).count()));
  refuse(self, attempt, why);
}

/// The join is answered when the feed's position is fixed: nothing that is committed
/// after the answer is missed.
void follow_then_admit(self_pointer self, const attempt_ptr& attempt) {
  read_changes(*attempt);
  if (attempt->changes.empty())
    return admit(self, attempt);
  const auto& push = attempt->frame->push;
  auto question = subscribe_changes{subscriber_of(
      self->state, push.topic, push.join_ref, attempt->who, attempt->changes)};
  self->request(self->state.deps->changefeed, patience_of(self->state, *attempt),
                std::move(question))
      .then(
          [self, attempt](const changes_subscribed& got) {
            if (attempt->problem.empty())
              attempt->problem = got.problem;
            if (attempt->asked.changes_wait && !attempt->problem.empty()) {
              follow_no_more(self, attempt->frame);
              return refuse(self, attempt->frame,
                            "RealtimeDisabledForConfiguration: " + attempt->problem);
            }
            admit(self, attempt);
          },
          [self, attempt](const caf::error& why) {
            refuse_changes(self, attempt, from_caf(why));
          });
}

void probe_then_admit(self_pointer self, const attempt_ptr& attempt) {
  auto question = probe_topic{attempt->who, std::string{attempt->room()}};
  self->request(judge_of(self->state), caf::infinite, std::move(question))
      .then(
          [self, attempt](storage::topic_rights rights) {
            if (!rights.join())
              return refuse(self, attempt, error{errc::forbidden, {}, {}, nullptr});
            attempt->rights = rights;
            follow_then_admit(self, attempt);
          },
          [self, attempt](const caf::error& why) {
            refuse(self, attempt, from_caf(why));
          });
}

void join_as(self_pointer self, const attempt_ptr& attempt) {
  with_login(
      self, *attempt->who,
      [self, attempt](std::shared_ptr<user_meter> meter) {
        const auto limit = self->state.deps->limits.user_joins_per_second;
        if (meter && !meter->joins.take(self->clock().now(), 1, limit))
          return hang_up(self, attempt->frame, too_many_joins);
        attempt->meter = std::move(meter);
        if (attempt->asked.is_private)
          probe_then_admit(self, attempt);
        else
          follow_then_admit(self, attempt);
      },
      [self, attempt](const error& why) { refuse(self, attempt, why); });
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
  auto attempt = std::make_shared<join_attempt>();
  attempt->frame = frame;
  attempt->asked = std::move(*asked);
  attempt->who = std::move(*who);
  join_as(self, attempt);
}

} // namespace jessica::actors::session_steps
