// Phoenix messages of Realtime in both serializer versions (supabase-js speaks 2.0.0 by
// default): docs/realtime.md. Pure functions from bytes to values and back.
#pragma once

#include "domain/error.hpp"
#include "wire/ws_frame.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

enum class serializer : std::uint8_t { v1, v2 };

/// `vsn` of the upgrade request; absent means 1.0.0. Unknown: nullopt.
[[nodiscard]] std::optional<serializer> parse_vsn(std::optional<std::string_view> vsn);

/// A message a client pushed.
struct push {
  std::optional<std::string> join_ref;
  std::optional<std::string> ref;
  std::string topic;          ///< as sent: "realtime:<name>" or "phoenix"
  std::string event;          ///< "phx_join", "broadcast", ...
  std::string payload = "{}"; ///< JSON object text; of a binary broadcast see below

  /// Set for a 2.0.0 binary broadcast (kind 3): `event` is "broadcast".
  struct binary_broadcast {
    std::string event;    ///< the application's
    std::string metadata; ///< JSON or empty
    bool json = true;     ///< else raw bytes
    std::string payload;
  };
  std::optional<binary_broadcast> binary;
};

/// Fails: invalid_input (malformed JSON, wrong shape, truncated binary, not UTF-8). A
/// binary push of another kind than 3 gives nullopt: ignore it.
[[nodiscard]] result<std::optional<push>>
decode_push(serializer version, std::string_view bytes, bool binary);

/// A broadcast as the application sees it.
struct app_broadcast {
  std::string event;
  bool json = true;    ///< else `payload` is raw bytes, which v1 clients never get
  std::string payload; ///< JSON text of any kind, or raw bytes
  std::string meta{};  ///< JSON object the server adds, at most 255 bytes; or empty
};

/// Checks a text broadcast payload {"type":"broadcast","event":E,"payload":P}.
[[nodiscard]] result<app_broadcast> read_broadcast(const push& message);

/// A server message; `payload_json` must be a JSON object.
[[nodiscard]] frame encode_message(serializer version,
                                   std::optional<std::string_view> join_ref,
                                   std::optional<std::string_view> ref,
                                   std::string_view topic, std::string_view event,
                                   std::string_view payload_json);

/// phx_reply: {"status":"ok"|"error","response":response_json}.
[[nodiscard]] frame encode_reply(serializer version,
                                 std::optional<std::string_view> join_ref,
                                 std::optional<std::string_view> ref,
                                 std::string_view topic, bool ok,
                                 std::string_view response_json);

/// phx_reply with status error and {"reason":reason}.
[[nodiscard]] frame encode_refusal(serializer version,
                                   std::optional<std::string_view> join_ref,
                                   std::optional<std::string_view> ref,
                                   std::string_view topic, std::string_view reason);

/// A broadcast to members: 2.0.0 gets a binary frame (kind 4), 1.0.0 text; null for raw
/// bytes on 1.0.0 and for a topic, event or meta over 255 bytes.
[[nodiscard]] frame encode_broadcast(serializer version, std::string_view topic,
                                     const app_broadcast& message);

} // namespace jessica::wire
