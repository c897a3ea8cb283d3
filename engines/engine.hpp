// A text generator: asked with a prompt, streams text, can be cancelled.
#pragma once

#include "domain/chat.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace jessica::engines {

/// More text: `tokens` of them, at least 1.
struct text_made {
  std::string text; ///< valid UTF-8, not empty
  std::uint32_t tokens = 1;
};

/// What a model thinks aloud before it answers: shown, never part of the reply.
struct reasoning_made {
  std::string text; ///< valid UTF-8, not empty
};

/// Who answers, when it is not whom model_of() named: before its first text.
struct model_changed {
  std::string model;
};

/// The last event of a generation that worked.
struct text_ended {
  std::string finish_reason; ///< "stop", "length", ...
  usage used;
};

/// The last event of one that is to go on when these tools have been called: with a new
/// generation whose prompt ends with the calls and their results.
struct tools_called {
  std::vector<tool_call> calls; ///< at least one
  usage used;
};

/// The last event of one that did not.
struct text_failed {
  std::string what; ///< may be shown to the user
  bool retryable = false;
};

using engine_event = std::variant<text_made, reasoning_made, model_changed, text_ended,
                                  tools_called, text_failed>;

/// Called from one thread at a time, in order; must not block.
using event_sink = std::function<void(engine_event)>;

/// A generation under way. Destroying it cancels: no event comes after the destructor
/// returned, and the provider's connection is closed.
class generation {
public:
  virtual ~generation() = default;
};

class text_generator {
public:
  virtual ~text_generator() = default;
  /// The model's name as clients see it.
  [[nodiscard]] virtual std::string_view model() const noexcept = 0;
  /// Whether it does as it is told, as language models do, beyond answering.
  [[nodiscard]] virtual bool follows_instructions() const noexcept { return true; }
  /// The model that will be asked first with this prompt.
  [[nodiscard]] virtual std::string model_of(const prompt& asked) const {
    (void)asked;
    return std::string{model()};
  }
  /// Begins to answer the prompt's last turn. The sink may be called before this
  /// returns. Any thread.
  [[nodiscard]] virtual std::unique_ptr<generation> start(prompt asked,
                                                          event_sink sink) = 0;
};

} // namespace jessica::engines
