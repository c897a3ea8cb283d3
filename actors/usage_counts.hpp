// Usage and refusals in metrics and log.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "domain/ids.hpp"

namespace jessica::actors {

/// Counts the tokens of one attempt, whatever came of it.
void note_usage(const usage& used) noexcept;

/// Counts and logs a refusal by quota; other errors are ignored.
void note_refusal(user_id user, const error& why);

} // namespace jessica::actors
