#include "actors/broadcaster.hpp"

#include "actors/errors.hpp"
#include "actors/reserved_events.hpp"
#include "actors/supervision.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = broadcaster_actor::stateful_pointer<broadcaster_state>;

/// A request under way: the rights of its private topics are asked for, one by one.
struct delivery {
  send_broadcasts asked;
  caf::typed_response_promise<broadcasts_sent> answer;
  std::map<std::string, bool, std::less<>> writable; ///< private topics
  std::size_t unknown = 0;                           ///< of them, not answered yet
  std::size_t storing = 0;
  broadcasts_sent sent;
  std::optional<error> failed;
};
using delivery_ptr = std::shared_ptr<delivery>;

[[nodiscard]] topic topic_of(const wire::outgoing_broadcast& message) {
  return {message.topic, message.is_private};
}

/// One second's count of a caller; whoever holds the service key is not counted.
[[nodiscard]] bool count(self_pointer self, const send_broadcasts& asked) {
  auto& state = self->state;
  if (asked.who->role == db_role::service_role)
    return true;
  const auto now = self->clock().now();
  if (now - state.second >= std::chrono::seconds{1}) {
    state.second = now;
    state.sent.clear();
  }
  auto& used =
      state.sent[asked.who->signed_in() ? asked.who->user.str() : "ip " + asked.ip];
  used += asked.messages.size();
  return used <= state.deps.limits.events_per_second;
}

[[nodiscard]] bool may_send(const broadcaster_state& state, const delivery& of,
                            const wire::outgoing_broadcast& message) {
  if (!message.is_private)
    return state.deps.limits.public_channels;
  const auto known = of.writable.find(message.topic);
  const auto on = topic_of(message);
  return known != of.writable.end() && known->second &&
         !is_reserved(on, message.what.event) && !is_call(on, message.what.event);
}

void finish(const delivery_ptr& of) {
  if (of->failed)
    of->answer.deliver(to_caf(std::move(*of->failed)));
  else
    of->answer.deliver(of->sent);
}

/// The log brings it to the members, this node's and all others'.
void store(self_pointer self, const delivery_ptr& of,
           wire::outgoing_broadcast& message) {
  ++of->storing;
  auto what = storage::new_broadcast{.id = uuid::make(),
                                     .topic = std::move(message.topic),
                                     .event = std::move(message.what.event),
                                     .json = message.what.json,
                                     .payload = std::move(message.what.payload),
                                     .ttl = message.persist->ttl};
  const auto one_less = [of] {
    if (--of->storing == 0)
      finish(of);
  };
  self->request(self->state.deps.readers, caf::infinite,
                store_broadcast{of->asked.who, std::move(what)})
      .then([one_less](done) { one_less(); },
            [one_less, of](const caf::error& why) {
              of->failed = from_caf(why);
              one_less();
            });
}

void deliver_all(self_pointer self, const delivery_ptr& of) {
  if (of->failed)
    return finish(of);
  for (auto& message : of->asked.messages) {
    if (!may_send(self->state, *of, message))
      ++of->sent.refused;
    else if (message.persist)
      store(self, of, message);
    else
      self->send(self->state.deps.hub,
                 publish_on{topic_of(message), std::move(message.what)});
  }
  if (of->storing == 0)
    finish(of);
}

/// A policy that cannot judge a topic allows nothing on it.
void note_rights(self_pointer self, const delivery_ptr& of, const std::string& topic,
                 const result<storage::topic_rights>& rights) {
  if (rights)
    of->writable[topic] = rights->write;
  else if (rights.error().code != errc::invalid_input)
    of->failed = rights.error();
  if (--of->unknown == 0)
    deliver_all(self, of);
}

void ask_rights(self_pointer self, const delivery_ptr& of) {
  for (const auto& message : of->asked.messages)
    if (message.is_private)
      of->writable.try_emplace(message.topic, false);
  of->unknown = of->writable.size();
  if (of->unknown == 0)
    return deliver_all(self, of);
  const auto& judges = self->state.deps.judges;
  for (const auto& [name, known] : of->writable)
    self->request(judges[std::hash<std::string>{}(name) % judges.size()], caf::infinite,
                  probe_topic{of->asked.who, name})
        .then(
            [self, of, name](storage::topic_rights rights) {
              note_rights(self, of, name, rights);
            },
            [self, of, name](const caf::error& why) {
              note_rights(self, of, name, std::unexpected{from_caf(why)});
            });
}

} // namespace

broadcaster_actor::behavior_type broadcaster(self_pointer self, broadcaster_deps deps) {
  guard(self, "BROADCASTER");
  self->state.deps = std::move(deps);
  return {
      [self](send_broadcasts& msg) -> caf::result<broadcasts_sent> {
        if (!count(self, msg))
          return to_caf({errc::overloaded, {}, "too_many_messages", nullptr});
        auto answer = self->make_response_promise<broadcasts_sent>();
        auto under_way = std::make_shared<delivery>();
        under_way->asked = std::move(msg);
        under_way->answer = answer;
        ask_rights(self, under_way);
        return answer;
      },
  };
}

} // namespace jessica::actors
