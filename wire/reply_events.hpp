// Payloads of the reply stream on topic conversation:<uuid> (docs/reply-stream.md).
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Which attempt at which reply an event belongs to.
struct reply_ref {
  message_id reply;
  std::int32_t attempt = 1;
};

[[nodiscard]] std::string reply_started(const job& what, std::string_view model,
                                        std::span<const recalled_memory> memories = {});
/// Tokens first_seq..seq.
[[nodiscard]] std::string reply_delta(reply_ref of, std::uint64_t first_seq,
                                      std::uint64_t seq, std::string_view text);
[[nodiscard]] std::string
reply_snapshot(reply_ref of, std::uint64_t seq, std::string_view text,
               std::string_view status, std::span<const recalled_memory> memories = {});
[[nodiscard]] std::string reply_reset(reply_ref of, std::string_view reason);
[[nodiscard]] std::string reply_completed(reply_ref of, std::uint64_t seq,
                                          std::string_view finish_reason,
                                          const usage& used);
[[nodiscard]] std::string reply_failed(reply_ref of, std::uint64_t seq,
                                       std::string_view code, std::string_view message);
[[nodiscard]] std::string reply_cancelled(reply_ref of, std::uint64_t seq,
                                          const usage& used);

/// Another model answers than reply.started said.
[[nodiscard]] std::string reply_model(reply_ref of, std::string_view model);
/// What the model thinks before it answers: no part of the reply, not numbered.
[[nodiscard]] std::string reply_reasoning(reply_ref of, std::string_view text);

/// Body of enqueue-inference and payload of message.send: {content, conversation_id?,
/// client_id?, params?}. Content must be 1..max_bytes of valid UTF-8 without NUL,
/// params what read_reply_params takes. Fails: invalid_input naming the field,
/// too_large.
struct send_request {
  std::string content;
  std::optional<conversation_id> conversation;
  std::optional<std::string> client_id; ///< 1..128 bytes
  std::string params = "{}";
};
[[nodiscard]] result<send_request> read_send(std::string_view json,
                                             std::size_t max_bytes);

/// The reply a stop names: `key` is "reply_id" over HTTP, "id" on the channel. Fails:
/// invalid_input.
[[nodiscard]] result<message_id> read_stop(std::string_view json, std::string_view key);
/// Body of run-inference-worker: {max?}, at least 1. Fails: invalid_input.
[[nodiscard]] result<std::optional<std::size_t>> read_max(std::string_view json);
/// {status}.
[[nodiscard]] std::string stop_json(std::string_view status);

/// {conversation_id, message_id, reply_id, job_id, topic}.
[[nodiscard]] std::string receipt_json(const receipt& what);

} // namespace jessica::wire
