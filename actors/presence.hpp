// Who shows itself in a room. Plain values: CHANNEL owns one and sends what it gives.
#pragma once

#include "actors/room_messages.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jessica::actors {

/// Key -> what each of its sockets shows: a person with two devices is one key. JSON is
/// what the client's presence code expects: {"key":{"metas":[{"phx_ref":"r",...}]}}.
/// References are unique among all nodes, and never used again.
class presence {
public:
  /// Shows `meta`, a JSON object without phx_ref and phx_ref_prev. Gives the diff
  /// {"joins":...,"leaves":...}; what the socket showed before leaves, and its
  /// reference is the new one's phx_ref_prev. A socket keeps its first key until
  /// untrack.
  [[nodiscard]] std::string track(socket_number who, std::string_view key,
                                  std::string_view meta);
  /// Gives the diff; nullopt: the socket showed nothing.
  [[nodiscard]] std::optional<std::string> untrack(socket_number who);
  /// Everybody, as presence_state.
  [[nodiscard]] std::string state() const;

private:
  struct shown {
    std::string key;
    std::string ref;
    std::string meta; ///< with its references
  };
  std::unordered_map<socket_number, shown> shown_;
  std::map<std::string, std::vector<socket_number>, std::less<>> sockets_; ///< by key
};

} // namespace jessica::actors
