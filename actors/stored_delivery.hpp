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
  /// For one that is about to be a member: it hears this behind its past.
  void hold(const member& who, const stored_ptr& what);
  /// To one that is a member now: the past, then what was held and is not part of it.
  void replay(std::string_view topic, const member& who,
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
    std::vector<stored_ptr> held; ///< until its past is there
    std::vector<uuid> replayed;   ///< may come again from the log
    std::vector<uuid> own;        ///< stored by it, and not for it
    [[nodiscard]] bool idle() const {
      return held.empty() && replayed.empty() && own.empty();
    }
  };

  void forget_idle(socket_number socket);
  /// Not what was replayed to it, nor its own.
  [[nodiscard]] bool hears(socket_number socket, const stored_ptr& what);

  std::unordered_map<socket_number, listener> listeners_;
};

} // namespace jessica::actors
