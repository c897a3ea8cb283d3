#include "actors/errors.hpp"
#include "actors/session_steps.hpp"
#include "ops/log.hpp"
#include "wire/channel_answers.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace jessica::actors::session_steps {
namespace {

/// How long a join waits for the log to be read.
constexpr auto replication_patience = std::chrono::seconds{60};

/// The topic as it was when a question about it was asked; null: left, or joined anew.
[[nodiscard]] joined_topic* same_join(session_state& state,
                                      const std::string& topic_name,
                                      const std::optional<std::string>& join_ref) {
  const auto found = state.topics.find(topic_name);
  return found != state.topics.end() && found->second.join_ref == join_ref
             ? &found->second
             : nullptr;
}

/// Transient trouble: the client joins again by itself.
void fail_topic(self_pointer self, const std::string& topic_name,
                std::string_view why) {
  const auto found = self->state.topics.find(topic_name);
  auto payload = wire::object_writer{};
  payload.text("reason", why);
  tell(self->state, topic_name, found->second.join_ref, found->second.join_ref,
       "phx_error", payload.done());
  leave_channel(self, found->first, found->second);
  self->state.topics.erase(found);
}

[[nodiscard]] std::string_view words_of(const error& why) {
  switch (why.code) {
  case errc::forbidden:
    return "unauthorized";
  case errc::invalid_input:
    return "the payload cannot be stored";
  case errc::overloaded:
    return "overloaded, please try again";
  default:
    return "the broadcast could not be stored";
  }
}

/// The newest that together leave half of a client's outbox free.
[[nodiscard]] std::vector<stored_ptr> fitting(const std::vector<stored_ptr>& all,
                                              std::size_t max_bytes) {
  auto room = max_bytes;
  auto first = all.end();
  while (first != all.begin() && (*std::prev(first))->payload.size() <= room) {
    --first;
    room -= (*first)->payload.size();
  }
  return {first, all.end()};
}

} // namespace

void refuse_to_store(self_pointer self, const exchange_ptr& frame,
                     std::string_view why) {
  auto body = wire::object_writer{};
  body.text("error", why);
  reply(self->state, frame->push, false, body.done());
  go_on(self, frame);
}

void store_and_answer(self_pointer self, const exchange_ptr& frame,
                      const joined_topic& joined, wire::app_broadcast what,
                      wire::persist_wish wish) {
  auto& state = self->state;
  if (!joined.is_private)
    return refuse_to_store(self, frame, "only private channels store broadcasts");
  auto stored = storage::new_broadcast{.id = uuid::make(),
                                       .topic = std::string{name_in(frame->push.topic)},
                                       .event = std::move(what.event),
                                       .json = what.json,
                                       .payload = std::move(what.payload),
                                       .ttl = wish.ttl};
  const auto id = stored.id;
  const auto socket = state.socket.number;
  const auto room = joined.room;
  if (!joined.self) // known before the log brings it
    self->send(room.channel, expect_own{room.number, socket, id});
  self->request(state.deps->readers, caf::infinite,
                store_broadcast{joined.who, std::move(stored)})
      .then(
          [self, frame, ack = joined.ack](done) {
            if (ack)
              reply(self->state, frame->push, true, "{}");
            go_on(self, frame);
          },
          [self, frame, socket, id, room](const caf::error& why) {
            self->send(room.channel, forget_own{room.number, socket, id});
            refuse_to_store(self, frame, words_of(from_caf(why)));
          });
}

namespace {

/// What HUB has told before the join is known to be told, and read as soon as queries
/// see it; what it tells from now on waits in the CHANNEL.
void fetch_past(self_pointer self, fetch_stored question,
                std::function<void(const stored_page&)> take,
                std::function<void(const caf::error&)> fail) {
  self->request(self->state.deps->hub, caf::infinite, list_told{})
      .then(
          [self, take, fail,
           question = std::move(question)](const told_lately& lately) mutable {
            question.after = lately.xids;
            self->request(self->state.deps->readers, caf::infinite, std::move(question))
                .then(take, fail);
          },
          fail);
}

} // namespace

/// The member is in its CHANNEL already, which answers the join when the past is there:
/// what is stored once the client knows that it joined takes no place in it.
void replay(self_pointer self, const exchange_ptr& frame, const wire::replay_wish& wish,
            std::function<void()> then) {
  const auto& push = frame->push;
  const auto deliver = [self, frame, then](const stored_page& page) {
    auto& state = self->state;
    const auto& [ref, topic_name] = std::tie(frame->push.join_ref, frame->push.topic);
    const auto* const joined = same_join(state, topic_name, ref);
    if (joined == nullptr) // it ended meanwhile, which was told
      return go_on(self, frame);
    self->send(joined->room.channel,
               replay_to{joined->room.number, state.socket.number, ref,
                         fitting(page.what, state.deps->limits.outbox_bytes / 2)});
    then();
    go_on(self, frame);
  };
  const auto give_up = [self, frame](const caf::error& why) {
    ops::warn("replay.failed", {{"cause", from_caf(why).what}});
    auto& topics = self->state.topics;
    if (same_join(self->state, frame->push.topic, frame->push.join_ref) == nullptr)
      return go_on(self, frame);
    const auto found = topics.find(frame->push.topic);
    leave_channel(self, found->first, found->second);
    topics.erase(found);
    refuse(self, frame, "UnableToReplayMessages: please try again");
  };
  fetch_past(self, {std::string{name_in(push.topic)}, wish.since, wish.limit, {}},
             deliver, give_up);
}

void await_replication(self_pointer self, const std::string& topic_name) {
  const auto& of = self->state.topics.at(topic_name);
  const auto ref = of.join_ref;
  self->request(self->state.deps->changefeed, replication_patience, await_feed{})
      .then(
          [self, topic_name, ref](done) {
            if (const auto* joined = same_join(self->state, topic_name, ref))
              self->send(joined->room.channel,
                         greet{joined->room.number,
                               self->state.socket.number,
                               ref,
                               {"system", wire::system_message(
                                              "system", true,
                                              "Replication connection established",
                                              name_in(topic_name))}});
          },
          [self, topic_name, ref](const caf::error& why) {
            if (same_join(self->state, topic_name, ref) == nullptr)
              return;
            if (from_caf(why).code == errc::timeout)
              evict(self, topic_name, "Replication connection timed out");
            else
              fail_topic(self, topic_name, "replication was interrupted");
          });
}

} // namespace jessica::actors::session_steps
