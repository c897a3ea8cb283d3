// The engine that needs no model and no network: answers by extraction from the
// conversation, says plainly that no language model is configured. Deterministic.
#pragma once

#include "engines/answer.hpp"
#include "engines/engine.hpp"

#include <cstddef>
#include <memory>

namespace jessica::engines {

/// Streams compose_answer word by word at `tokens_per_second` (0: at once) from one
/// timer thread of its own, whatever the number of generations.
[[nodiscard]] std::unique_ptr<text_generator>
make_builtin(std::size_t tokens_per_second);

} // namespace jessica::engines
