// What the built-in engine says: greets, quotes memories or earlier messages that
// match, recalls messages when asked to, and always says that no language model is
// configured.
#pragma once

#include "domain/chat.hpp"

#include <string>

namespace jessica::engines {

/// The whole answer to a prompt, some 30 to 80 words. Pure: the same prompt gives the
/// same text; valid UTF-8 whatever the messages hold, bounded whatever their size.
[[nodiscard]] std::string compose_answer(const prompt& asked);

} // namespace jessica::engines
