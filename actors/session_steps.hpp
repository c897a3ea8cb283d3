// The steps a SESSION takes on a frame, shared by its sources: join, token, push.
#pragma once

#include "actors/session.hpp"

#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::actors::session_steps {

using self_pointer = session_actor::stateful_pointer<session_state>;

/// One frame under way: what to answer and when the socket may read on.
struct exchange {
  wire::push push;
  std::size_t bytes = 0; ///< of the frame
  caf::typed_response_promise<verdict> read_on;
};
using exchange_ptr = std::shared_ptr<exchange>;

/// The frame is done: the socket may read the next one. Ends a session whose socket
/// closed meanwhile.
void go_on(self_pointer self, const exchange_ptr& frame);

/// Refuses and lets the socket close: for whoever asks too fast.
void hang_up(self_pointer self, const exchange_ptr& frame, std::string_view reason);

/// Leaves all topics and ends.
void end_session(self_pointer self);

/// phx_reply to a push.
void reply(session_state& state, const wire::push& to, bool ok,
           std::string_view response);
/// phx_reply with an error; the second form also lets the socket read on.
void refuse(session_state& state, const wire::push& to, std::string_view reason);
void refuse(self_pointer self, const exchange_ptr& frame, std::string_view reason);

/// A message of the server about a topic; `payload` is a JSON object.
void tell(session_state& state, std::string_view topic_name,
          const std::optional<std::string>& join_ref,
          const std::optional<std::string>& ref, std::string_view event,
          std::string_view payload);

/// What the topic is called behind its "realtime:".
[[nodiscard]] std::string_view name_in(std::string_view spelled) noexcept;
/// Who of the JUDGEs is asked by this client.
[[nodiscard]] const judge_actor& judge_of(const session_state& state);

/// Ends the membership without a word.
void leave_channel(self_pointer self, const std::string& topic_name,
                   const joined_topic& left);
/// Leaves and tells phx_close: the client does not come back by itself.
void close_topic(self_pointer self, std::string_view topic_name);
/// Tells why, then closes: for expiry, lost rights and rate limits.
void evict(self_pointer self, std::string_view topic_name, std::string_view why);

/// Who a token is; no token or an opaque key: the socket's API key.
[[nodiscard]] result<std::shared_ptr<const identity>>
identity_of(const session_state& state, const std::optional<std::string>& token);

/// Goes on once DOORKEEPER has let the identity in, at once when a channel of ours uses
/// the same login; null for an API key, which no login stands behind.
using let_in = std::function<void(std::shared_ptr<user_meter>)>;
using turned_away = std::function<void(const error&)>;
void with_login(self_pointer self, const identity& who, let_in then,
                turned_away otherwise);
/// The login ended while this frame was under way.
[[nodiscard]] bool is_over(const session_state& state, const identity& who);
/// Tells the channels of the login that it is over, and closes them.
void end_login(self_pointer self, const login& who);
inline constexpr auto token_expired = std::string_view{"Token has expired"};
/// Closes the channels whose tokens have expired, and looks again when the next one
/// does.
void end_expired(self_pointer self);

/// Tells all channels that the server stops, then closes the socket.
void say_goodbye_to_all(self_pointer self);

/// Whether the client, with all its user's sockets, may send one more event of this
/// size; why not.
[[nodiscard]] std::optional<std::string_view>
over_rate(self_pointer self, const joined_topic& joined, std::size_t bytes);
/// The client's place among those of the node; false: there are too many.
[[nodiscard]] bool find_place(session_state& state);

/// How CHANGEFEED knows a channel of ours.
[[nodiscard]] change_subscriber
subscriber_of(const session_state& state, const std::string& spelled,
              const std::optional<std::string>& join_ref,
              std::shared_ptr<const identity> who,
              std::vector<wire::change_binding> changes);

/// A failure of what a push asked for: its reason, or all that is known of a quota.
void refuse(self_pointer self, const exchange_ptr& frame, const error& why);

/// phx_join: limits, token, rights, HUB.
void join(self_pointer self, const exchange_ptr& frame);
/// access_token: the rights of a private topic are asked for again.
void renew_token(self_pointer self, const exchange_ptr& frame, joined_topic& joined);
/// broadcast: relayed to the CHANNEL, or message.send stored by PERSISTENCE.
void publish(self_pointer self, const exchange_ptr& frame, const joined_topic& joined);
/// A broadcast to be stored: answered when it is; the log brings it to the members.
void store_and_answer(self_pointer self, const exchange_ptr& frame,
                      const joined_topic& joined, wire::app_broadcast what,
                      wire::persist_wish wish);
/// Its failure, in the words and the field that the client shows; always told.
void refuse_to_store(self_pointer self, const exchange_ptr& frame,
                     std::string_view why);
/// A join that its CHANNEL holds back gets what is stored since `wish.since`; then it
/// is answered, or refused, and `then` is done.
void replay(self_pointer self, const exchange_ptr& frame, const wire::replay_wish& wish,
            std::function<void()> then);
/// Behind a join: tells when stored broadcasts come, or that they do not in time.
void await_replication(self_pointer self, const std::string& topic_name);
/// presence: answered, and told to the CHANNEL.
void change_presence(self_pointer self, const exchange_ptr& frame,
                     joined_topic& joined);

} // namespace jessica::actors::session_steps
