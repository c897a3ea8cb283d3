// What a client says about its presence in a channel.
#pragma once

#include "domain/error.hpp"
#include "wire/phoenix.hpp"

#include <optional>
#include <string>

namespace jessica::wire {

/// A `presence` message.
struct presence_call {
  /// track: the JSON object to show, without phx_ref and phx_ref_prev, which are the
  /// server's. Absent: untrack.
  std::optional<std::string> meta;
};

/// Fails: invalid_input with the text the client reads. A track without a payload shows
/// an empty object.
[[nodiscard]] result<presence_call> read_presence(const push& message);

} // namespace jessica::wire
