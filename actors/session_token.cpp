#include "actors/errors.hpp"
#include "actors/session_steps.hpp"
#include "wire/channel.hpp"
#include "wire/problem.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace jessica::actors::session_steps {
namespace {

/// A new token that may be used.
struct renewal {
  std::shared_ptr<const identity> who;
  std::size_t token = 0;
  std::shared_ptr<user_meter> meter;
};

void adopt(self_pointer self, const std::string& topic_name, joined_topic& joined,
           renewal by) {
  joined.who = std::move(by.who);
  joined.token = by.token;
  joined.meter = std::move(by.meter);
  if (joined.changes.empty())
    return;
  auto anew = subscribe_changes{subscriber_of(self->state, topic_name, joined.join_ref,
                                              joined.who, joined.changes)};
  self->request(self->state.deps->changefeed, caf::infinite, std::move(anew))
      .then([](const changes_subscribed&) {}, // judged by the new claims from now on
            [](const caf::error&) {});        // the feed is away: it told the client
}

/// What the CHANNEL does for the member follows from its rights.
void change_rights(self_pointer self, joined_topic& joined,
                   storage::topic_rights rights) {
  joined.rights = rights;
  const auto socket = self->state.socket.number;
  const auto& [channel, room] = joined.room;
  if (!rights.presence_write)
    self->send(channel, untrack{room, socket});
  self->send(channel,
             hear{room, socket, rights.read, joined.presence && rights.presence_read});
}

void renew_rights(self_pointer self, const exchange_ptr& frame,
                  storage::topic_rights rights, renewal by) {
  const auto found = self->state.topics.find(frame->push.topic);
  if (found == self->state.topics.end())
    return;
  auto& joined = found->second;
  if (is_over(self->state, *by.who))
    return evict(self, frame->push.topic, session_over().what);
  if (!rights.join())
    return evict(self, frame->push.topic,
                 wire::channel_reason({errc::forbidden, {}, {}, nullptr},
                                      name_in(frame->push.topic)));
  adopt(self, frame->push.topic, joined, std::move(by));
  if (joined.is_private)
    change_rights(self, joined, rights);
  end_expired(self);
}

void ask_rights_again(self_pointer self, const exchange_ptr& frame,
                      const joined_topic& joined, renewal by) {
  if (!joined.is_private) {
    renew_rights(self, frame, {true, true, true, true}, std::move(by));
    return go_on(self, frame);
  }
  auto question = probe_topic{by.who, std::string{name_in(frame->push.topic)}};
  self->request(judge_of(self->state), caf::infinite, std::move(question))
      .then(
          [self, frame, by](storage::topic_rights rights) {
            renew_rights(self, frame, rights, by);
            go_on(self, frame);
          },
          // The old rights hold until the database can be asked again.
          [self, frame](const caf::error&) { go_on(self, frame); });
}

} // namespace

void end_expired(self_pointer self) {
  // A session that ended is not kept longer than this by its timer.
  constexpr auto longest = std::chrono::seconds{300};
  auto& state = self->state;
  const auto now = state.deps->now();
  auto next = std::chrono::sys_seconds::max();
  auto expired = std::vector<std::string>{};
  for (const auto& [name, joined] : state.topics)
    if (joined.who->expires <= now)
      expired.push_back(name);
    else
      next = std::min(next, joined.who->expires);
  for (const auto& name : expired)
    evict(self, name, token_expired);
  // A client that says nothing for idle_timeout is cut: until a token's last stretch of
  // that length its heartbeats are the timer, which costs nothing.
  if (next - now > state.deps->limits.idle_timeout)
    return;
  const auto wait = std::min(next - now, longest);
  const auto moment = self->clock().now();
  if (state.check_due > moment && state.check_due <= moment + wait)
    return; // a check is on its way
  state.check_due = moment + wait;
  self->delayed_send(self, wait, check_tokens{});
}

void renew_token(self_pointer self, const exchange_ptr& frame, joined_topic& joined) {
  auto& state = self->state;
  const auto& topic_name = frame->push.topic;
  auto token = wire::read_access_token(frame->push.payload);
  // Upstream answers nothing here: a client does not wait for a reply.
  if (!token || !*token || (*token)->starts_with("sb_") ||
      mark_of(**token) == joined.token)
    return go_on(self, frame);
  auto who = identity_of(state, *token);
  if (!who) {
    evict(self, topic_name, wire::channel_reason(who.error(), name_in(topic_name)));
    return go_on(self, frame);
  }
  auto by = renewal{*who, mark_of(**token), nullptr};
  with_login(
      self, **who,
      [self, frame, by](std::shared_ptr<user_meter> meter) mutable {
        by.meter = std::move(meter);
        const auto found = self->state.topics.find(frame->push.topic);
        if (found == self->state.topics.end())
          return go_on(self, frame);
        ask_rights_again(self, frame, found->second, std::move(by));
      },
      [self, frame](const error& why) {
        if (why.code == errc::unauthenticated)
          evict(self, frame->push.topic, why.what);
        go_on(self, frame);
      });
}

} // namespace jessica::actors::session_steps
