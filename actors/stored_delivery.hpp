// Which member hears which stored broadcast: each once, the past before what comes in.
// No CAF, no database.
#pragma once

#include "actors/audience.hpp"
#include "actors/broadcast_messages.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jessica::actors {

/// One channel's. Most members need nothing of it: they are not known here.
class stored_delivery {
public:
  /// For a member that joined: what comes in waits for its replay.
  void await_replay(const member& who);
  /// The replay, then what waited and was not part of it. Of another join: ignored.
  void replay(std::string_view topic, const member& who,
              const std::optional<std::string>& join_ref,
              std::span<const stored_ptr> past);
  /// The member does not hear this one, which it stored itself.
  void expect_own(socket_number socket, uuid id);
  void forget_own(socket_number socket, uuid id);
  /// The member is gone.
  void forget(socket_number socket);

  /// To all members that may hear it now; encoded once for each serializer.
  void tell(const audience& all, const stored_ptr& what);

private:
  struct listener {
    bool waiting = false;         ///< for its replay
    std::vector<stored_ptr> held; ///< meanwhile
    std::vector<uuid> replayed;   ///< may come again from the log
    std::vector<uuid> own;        ///< stored by it, and not for it
    [[nodiscard]] bool idle() const {
      return !waiting && replayed.empty() && own.empty();
    }
  };

  void forget_idle(socket_number socket);
  /// The listener decides: true, the member hears it now.
  [[nodiscard]] bool hears(const member& who, const stored_ptr& what);

  std::unordered_map<socket_number, listener> listeners_;
};

} // namespace jessica::actors
