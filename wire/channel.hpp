// What a client asks for when it joins a channel, and what the join is answered with.
#pragma once

#include "domain/error.hpp"
#include "wire/broadcast_options.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

inline constexpr auto topic_prefix = std::string_view{"realtime:"};

struct join_request {
  bool self = false; ///< own broadcasts come back
  bool ack = false;  ///< each broadcast push is answered
  std::optional<replay_wish> replay;
  bool replication_ready = false; ///< wants to hear that stored broadcasts come
  bool is_private = false;
  bool presence = false;    ///< wants to hear who is here
  std::string presence_key; ///< at most 255 bytes; empty: the server makes one
  std::vector<std::string> postgres_changes; ///< each binding's JSON object as sent
  /// The join is refused when its changes cannot be followed.
  bool changes_wait = false;
  std::chrono::milliseconds changes_timeout{15'000}; ///< at most 20 s
  std::optional<std::string> access_token;
};

/// Unknown keys are ignored; booleans may be strings. Fails: invalid_input.
[[nodiscard]] result<join_request> read_join(std::string_view payload);

/// The token of an `access_token` message; nullopt when null or absent.
[[nodiscard]] result<std::optional<std::string>>
read_access_token(std::string_view payload);

/// Topic without its "realtime:" prefix; fails for an empty or foreign topic with the
/// text the client shows ("TopicNameRequired: ...").
[[nodiscard]] result<std::string_view> channel_name(std::string_view topic);

} // namespace jessica::wire
