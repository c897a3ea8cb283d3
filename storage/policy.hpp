// May this identity read or write a private topic: asked of row security itself.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"

#include <string_view>

namespace jessica::storage {

struct topic_rights {
  bool read = false;
  bool write = false;
};

/// Probes the policies on realtime.messages with realtime.topic set to `topic` (without
/// its "realtime:" prefix), in a transaction that leaves nothing behind. Role:
/// requests.
[[nodiscard]] result<topic_rights> topic_rights_of(connection& db, const identity& who,
                                                   std::string_view topic);

} // namespace jessica::storage
