#include "actors/session.hpp"

#include "actors/session_steps.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"

#include <utility>

namespace jessica::actors {
namespace {

using namespace session_steps;

void leave_topic(self_pointer self, const exchange_ptr& frame) {
  reply(self->state, frame->push, true, "{}");
  close_topic(self, frame->push.topic);
  go_on(self, frame);
}

/// An event on a topic this client is in.
void handle_event(self_pointer self, const exchange_ptr& frame, joined_topic& joined) {
  auto& state = self->state;
  const auto& push = frame->push;
  if (push.join_ref && joined.join_ref && *push.join_ref != *joined.join_ref)
    return go_on(self, frame); // of an earlier join
  if (push.event == "access_token")
    return renew_token(self, frame, joined);
  if (joined.who->expires <= state.deps->now()) {
    evict(self, push.topic, token_expired);
    return go_on(self, frame);
  }
  if (const auto why = over_rate(self, joined, frame->bytes)) {
    evict(self, push.topic, *why);
    return go_on(self, frame);
  }
  if (push.event == "broadcast")
    return publish(self, frame, joined);
  if (push.event == "presence")
    return change_presence(self, frame, joined);
  refuse(self, frame, "unknown event");
}

void handle(self_pointer self, const exchange_ptr& frame) {
  auto& state = self->state;
  const auto& push = frame->push;
  if (push.topic == "phoenix") {
    if (push.event == "heartbeat") {
      reply(state, push, true, "{}");
      end_expired(self);
    }
    return go_on(self, frame);
  }
  if (push.event == "phx_join")
    return join(self, frame);
  if (push.event == "phx_leave")
    return leave_topic(self, frame);
  const auto found = state.topics.find(push.topic);
  if (found == state.topics.end())
    return refuse(self, frame, "unmatched topic");
  handle_event(self, frame, found->second);
}

void lose_room(self_pointer self, room_number lost) {
  auto& topics = self->state.topics;
  for (auto at = topics.begin(); at != topics.end(); ++at) {
    if (at->second.room.number != lost)
      continue;
    // The client rejoins after phx_error; the new room sends it snapshots.
    tell(self->state, at->first, at->second.join_ref, at->second.join_ref, "phx_error",
         R"({"reason":"channel restarted"})");
    topics.erase(at);
    return;
  }
}

} // namespace

bool rate_limit::take(std::chrono::steady_clock::time_point now, std::size_t limit) {
  return take(now, 1, limit);
}

bool rate_limit::take(std::chrono::steady_clock::time_point now, std::size_t amount,
                      std::size_t limit) {
  if (now - began_ >= stretch_) {
    began_ = now;
    used_ = 0;
  }
  used_ += amount;
  return used_ <= limit;
}

session_actor::behavior_type session(self_pointer self,
                                     std::shared_ptr<const session_deps> deps,
                                     session_socket socket) {
  guard(self, "SESSION");
  self->state.deps = std::move(deps);
  self->state.socket = std::move(socket);
  return {
      [self](const client_frame& msg) {
        auto frame = std::make_shared<exchange>();
        self->state.busy = true;
        frame->bytes = msg.bytes.size();
        frame->read_on = self->make_response_promise<verdict>();
        const auto read_on = frame->read_on;
        auto push =
            wire::decode_push(self->state.socket.version, msg.bytes, msg.binary);
        if (push && *push) {
          frame->push = std::move(**push);
          handle(self, frame);
        } else {
          // A malformed frame is dropped, the socket and its other topics go on.
          if (!push)
            ops::debug("frame.malformed", {{"cause", push.error().what}});
          go_on(self, frame);
        }
        return read_on;
      },
      [self](socket_closed) {
        // A join under way must be known before it can be left.
        if (self->state.busy)
          self->state.closing = true;
        else
          end_session(self);
      },
      [self](const login_ended& msg) { end_login(self, msg.who); },
      [self](room_lost msg) { lose_room(self, msg.room); },
      [self](check_tokens) { end_expired(self); },
      [self](say_goodbye) { say_goodbye_to_all(self); },
  };
}

} // namespace jessica::actors
