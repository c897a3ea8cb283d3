// SESSION: one WebSocket client. See protocol.hpp for the promises.
#pragma once

#include "actors/crowd.hpp"
#include "actors/memory_messages.hpp"
#include "actors/protocol.hpp"
#include "config/settings.hpp"
#include "wire/credentials.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::actors {

/// What all sessions of a node share.
struct session_deps {
  hub_actor hub;
  persistence_actor persistence;
  std::vector<judge_actor> judges; ///< at least one
  reader_actor readers;
  dispatcher_actor dispatcher;
  changefeed_actor changefeed;
  doorkeeper_actor doorkeeper;
  wire::credentials credentials;
  config::realtime_settings limits;
  std::size_t max_content_bytes = 262'144;
  std::function<std::chrono::sys_seconds()> now; ///< the wall clock tokens are held to
  /// A join must be answered by then: the socket waits little longer.
  std::chrono::milliseconds longest_join{12'000};
  std::shared_ptr<crowd> clients = std::make_shared<crowd>();
  memory_actor memory = {};       ///< null: there is none
  std::size_t max_memories = 100; ///< of one search
};

/// The socket a session speaks through.
struct session_socket {
  socket_number number = 0;
  outbox_ptr out;
  wire::serializer version = wire::serializer::v2;
  std::shared_ptr<const identity> key; ///< of the API key the socket was opened with
};

/// How often something may happen within a stretch of time.
class rate_limit {
public:
  explicit rate_limit(std::chrono::seconds stretch) : stretch_{stretch} {}
  /// False: over the limit.
  [[nodiscard]] bool take(std::chrono::steady_clock::time_point now, std::size_t limit);
  [[nodiscard]] bool take(std::chrono::steady_clock::time_point now, std::size_t amount,
                          std::size_t limit);

private:
  std::chrono::seconds stretch_;
  std::chrono::steady_clock::time_point began_{};
  std::size_t used_ = 0;
};

/// Tells a client's tokens apart, without keeping them.
[[nodiscard]] inline std::size_t mark_of(std::string_view token) noexcept {
  return std::hash<std::string_view>{}(token);
}

/// A topic this client is in.
struct joined_topic {
  open_room room;
  std::optional<std::string> join_ref;
  bool is_private = false;
  std::shared_ptr<const identity> who; ///< of the join's or the latest access_token
  std::size_t token = 0;               ///< mark_of() the one `who` came from
  std::shared_ptr<user_meter> meter;   ///< of the user; null: an API key
  storage::topic_rights rights{true, true, true, true};
  bool ack = false;
  bool self = false;                         ///< hears its own broadcasts
  bool presence = false;                     ///< the join asked to hear who is here
  std::vector<wire::change_binding> changes; ///< what the join asked to follow
  rate_limit presence_calls{std::chrono::seconds{30}};
};

struct session_state {
  std::shared_ptr<const session_deps> deps;
  session_socket socket;
  std::map<std::string, joined_topic, std::less<>> topics; ///< by "realtime:<name>"
  rate_limit joins{std::chrono::seconds{1}};
  rate_limit events{std::chrono::seconds{1}};
  rate_limit bytes{std::chrono::seconds{1}};
  std::optional<crowd::place> place; ///< since the first join
  std::vector<login> entered;        ///< what DOORKEEPER knows us by
  std::vector<login> over;           ///< ended while the frame was under way
  std::chrono::steady_clock::time_point check_due{}; ///< of the tokens
  bool busy = false;                                 ///< a frame is under way
  bool closing = false;                              ///< the socket is gone
};

session_actor::behavior_type
session(session_actor::stateful_pointer<session_state> self,
        std::shared_ptr<const session_deps> deps, session_socket socket);

} // namespace jessica::actors
