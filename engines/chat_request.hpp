// The body of a chat completions request.
#pragma once

#include "domain/chat.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jessica::engines {

/// How a server is told to go on with a text instead of answering it.
enum class prefill_style : std::uint8_t { none, assistant, vllm };
[[nodiscard]] prefill_style read_prefill_style(std::string_view name) noexcept;

struct chat_request {
  std::string_view model;
  std::size_t first_turn = 0;                  ///< those before it are left out
  std::string_view so_far;                     ///< of the reply, to go on with
  prefill_style prefill = prefill_style::none; ///< how, when there is such a text
  bool completion_limit = false; ///< max_tokens is named max_completion_tokens
  bool tools = true;             ///< those of the prompt are told
};

/// JSON. `max_tokens` is a
/// limit for the whole reply, text so far included only as far as the server counts it.
[[nodiscard]] std::string chat_body(const prompt& asked, const chat_request& how);

} // namespace jessica::engines
