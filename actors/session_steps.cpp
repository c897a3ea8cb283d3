#include "actors/session_steps.hpp"

#include "wire/channel.hpp"
#include "wire/channel_answers.hpp"

#include <utility>

namespace jessica::actors::session_steps {
namespace {

[[nodiscard]] std::optional<std::string_view>
view(const std::optional<std::string>& text) {
  return text ? std::optional<std::string_view>{*text} : std::nullopt;
}

void finish(self_pointer self, const exchange_ptr& frame, verdict what) {
  frame->read_on.deliver(what);
  self->state.busy = false;
  self->state.over.clear();
  if (self->state.closing)
    end_session(self);
}

} // namespace

void go_on(self_pointer self, const exchange_ptr& frame) {
  finish(self, frame, verdict::go_on);
}

void hang_up(self_pointer self, const exchange_ptr& frame, std::string_view reason) {
  refuse(self->state, frame->push, reason);
  finish(self, frame, verdict::close);
}

void end_session(self_pointer self) {
  for (const auto& [name, joined] : self->state.topics)
    leave_channel(self, name, joined);
  self->quit();
}

void reply(session_state& state, const wire::push& to, bool ok,
           std::string_view response) {
  state.socket.out->push(wire::encode_reply(state.socket.version, view(to.join_ref),
                                            view(to.ref), to.topic, ok, response));
}

void refuse(session_state& state, const wire::push& to, std::string_view reason) {
  state.socket.out->push(wire::encode_refusal(state.socket.version, view(to.join_ref),
                                              view(to.ref), to.topic, reason));
}

void refuse(self_pointer self, const exchange_ptr& frame, std::string_view reason) {
  refuse(self->state, frame->push, reason);
  go_on(self, frame);
}

/// A message of the server about a topic; `payload` is a JSON object.
void tell(session_state& state, std::string_view topic_name,
          const std::optional<std::string>& join_ref,
          const std::optional<std::string>& ref, std::string_view event,
          std::string_view payload) {
  state.socket.out->push(wire::encode_message(state.socket.version, view(join_ref),
                                              view(ref), topic_name, event, payload));
}

std::string_view name_in(std::string_view spelled) noexcept {
  spelled.remove_prefix(wire::topic_prefix.size());
  return spelled;
}

const judge_actor& judge_of(const session_state& state) {
  const auto& judges = state.deps->judges;
  return judges[state.socket.number % judges.size()];
}

void leave_channel(self_pointer self, const std::string& topic_name,
                   const joined_topic& left) {
  const auto socket = self->state.socket.number;
  if (!left.changes.empty())
    self->send(self->state.deps->changefeed,
               unsubscribe_changes{socket, topic_name, left.join_ref});
  self->send(left.room.channel, leave{left.room.number, socket});
}

/// The client forgets the channel and does not come back by itself.
void close_topic(self_pointer self, std::string_view topic_name) {
  auto& topics = self->state.topics;
  const auto found = topics.find(topic_name);
  if (found == topics.end())
    return;
  leave_channel(self, found->first, found->second);
  tell(self->state, topic_name, found->second.join_ref, found->second.join_ref,
       "phx_close", "{}");
  topics.erase(found);
}

/// Tells why, then closes: for expiry, lost rights and rate limits.
void evict(self_pointer self, std::string_view topic_name, std::string_view why) {
  const auto found = self->state.topics.find(topic_name);
  if (found == self->state.topics.end())
    return;
  tell(self->state, topic_name, found->second.join_ref, std::nullopt, "system",
       wire::system_message("system", false, why, name_in(topic_name)));
  close_topic(self, topic_name);
}

[[nodiscard]] result<std::shared_ptr<const identity>>
identity_of(const session_state& state, const std::optional<std::string>& token) {
  if (!token || token->empty() || token->starts_with("sb_"))
    return state.socket.key;
  return wire::verified(state.deps->credentials, *token, state.deps->now());
}

} // namespace jessica::actors::session_steps
