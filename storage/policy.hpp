// May this identity read or write a private topic: asked of row security itself.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"

#include <string_view>

namespace jessica::storage {

struct topic_rights {
  bool read = false;           ///< may receive broadcasts
  bool write = false;          ///< may send broadcasts
  bool presence_read = false;  ///< may receive who is here
  bool presence_write = false; ///< may show itself

  /// Whoever may receive anything may join.
  [[nodiscard]] bool join() const noexcept { return read || presence_read; }
};

/// Probes the policies on realtime.messages with realtime.topic set to `topic` (without
/// its "realtime:" prefix), in a transaction that leaves nothing behind. Role:
/// requests. A policy that fails is an error, with `sql` filled.
[[nodiscard]] result<topic_rights> topic_rights_of(connection& db, const identity& who,
                                                   std::string_view topic);

} // namespace jessica::storage
