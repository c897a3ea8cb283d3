// Tools in the body of /v1/chat/completions: those that the model may call, and the
// calls and results among the messages.
#pragma once

#include "domain/chat.hpp"
#include "wire/openai_fields.hpp"

#include <string>

namespace jessica::wire {

/// `tools` and `tool_choice`: auto, or none, which leaves the tools out.
[[nodiscard]] verdict read_tools(const boost::json::object& body, prompt& to);

/// An assistant's `tool_calls`, or what a message of role tool answers. `at` names the
/// message.
[[nodiscard]] verdict read_calls(const boost::json::object& message,
                                 const std::string& at, past_turn& to);

} // namespace jessica::wire
