// Does what an engine asks for while it writes a reply: docs/tools.md.
#pragma once

#include "domain/chat.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace jessica::engines {

/// One call, and for whom.
struct tool_question {
  tool_call call;
  user_id user;
  conversation_id conversation;
  message_id reply;
  std::size_t repeats = 0; ///< calls of this reply that were the same, before this one
};

/// Called once, on any thread; must not block.
using tool_sink = std::function<void(tool_outcome)>;

/// A call under way. Destroying it ends the call: its sink is not called after the
/// destructor returned, and the connection is closed.
class running_call {
public:
  virtual ~running_call() = default;
};

class tool_runner {
public:
  virtual ~tool_runner() = default;
  /// What may be called.
  [[nodiscard]] virtual const std::vector<tool>& tools() const noexcept = 0;
  /// Begins a call. What goes wrong is an outcome, too: one that failed, with words for
  /// the engine. The sink may be called before this returns. Any thread.
  [[nodiscard]] virtual std::unique_ptr<running_call> start(tool_question what,
                                                            tool_sink sink) = 0;
};

} // namespace jessica::engines
