// Broadcasts over HTTP: what channel.httpSend() asks for, and channel.send() before a
// join.
#pragma once

#include "domain/error.hpp"
#include "wire/broadcast_options.hpp"
#include "wire/phoenix.hpp"
#include "wire/problem.hpp"

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// A broadcast that comes from outside its channel.
struct outgoing_broadcast {
  std::string topic; ///< without "realtime:"
  bool is_private = false;
  app_broadcast what;
  std::optional<persist_wish> persist; ///< of private ones alone
};

/// With "realtime:" before it a topic must fit into one byte's count.
inline constexpr auto max_channel_name_bytes = std::size_t{246};

/// What a client reads when it is refused; the bodies are in docs/errors.md.
template <class T> using http_result = std::expected<T, problem>;

/// POST
/// /realtime/v1/api/broadcast/{topic}/events/{event}?private=&persist=&persist[ttl]=
/// `rest` is the path behind "broadcast/", still encoded. Refuses: 404 (no such path),
/// 415 (neither JSON nor octet-stream), 422.
[[nodiscard]] http_result<outgoing_broadcast>
read_broadcast_request(std::string_view rest, std::string_view query,
                       std::string_view content_type, std::string_view body);

/// POST /realtime/v1/api/broadcast {"messages":[...]}, at most `most` of them. Refuses:
/// 422, 429.
[[nodiscard]] http_result<std::vector<outgoing_broadcast>>
read_broadcast_batch(std::string_view body, std::size_t most);

/// Any other failure, in the words of these two calls.
[[nodiscard]] problem broadcast_problem(const error& what);

} // namespace jessica::wire
