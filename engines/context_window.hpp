// Which turns of a conversation a model is shown, when it cannot be shown all. Pure.
#pragma once

#include "domain/chat.hpp"
#include "engines/token_family.hpp"

#include <cstddef>

namespace jessica::engines {

struct context_window {
  std::size_t tokens = 0;       ///< prompt and reply together; 0: all that there is
  std::size_t reply_tokens = 0; ///< of these, kept free for the reply
  token_family family = token_family::narrow;
};

/// The first turn of the longest end that fits beside the system text, the tools and
/// the reply; what is before it is left out. It is a user's or a system's turn. The
/// last user's turn and what follows it are shown even if they do not fit: the provider
/// may know better, or says what is wrong.
[[nodiscard]] std::size_t first_turn_within(const prompt& asked,
                                            const context_window& window);

/// Of the prompt from this turn on.
[[nodiscard]] std::size_t estimated_tokens(const prompt& asked, std::size_t first_turn,
                                           token_family family);

} // namespace jessica::engines
