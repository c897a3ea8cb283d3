// CLERK: carries out REST requests on lines that never block. See protocol.hpp.
#pragma once

#include "actors/protocol.hpp"
#include "actors/socket_watch.hpp"
#include "storage/rest_line.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace jessica::actors {

struct clerk_deps {
  std::string name; ///< as the asker of a full queue reads it
  porter_actor porter;
  catalog_actor catalog;
  std::shared_ptr<socket_watch> sockets;
  std::size_t lines = 1;
  std::size_t queue = 0; ///< requests that may wait for a line
  /// Writes that are under way together wait for the disk together, on one line more.
  bool shares_flush = false;
};

struct clerk_state {
  using clock = std::chrono::steady_clock;

  struct errand {
    std::shared_ptr<const rest_request> what;
    caf::typed_response_promise<rest_reply> asker;
  };
  /// A line's place. It is opened when a request finds no free line.
  struct place {
    std::shared_ptr<storage::rest_line> line; ///< null: closed
    std::unique_ptr<socket_watch::seat> watch;
    std::uint64_t opening = 0; ///< how often it was opened
    bool being_opened = false;
    bool being_stopped = false; ///< what it does, or did, is being ended
    errand now;                 ///< without `what`: none
    clock::time_point begun;    ///< `now`
    /// `now` is committed without waiting for the disk, under the flush line's opening
    /// of this number. 0: it waits by itself.
    std::uint64_t flushed_by = 0;

    [[nodiscard]] bool free() const noexcept {
      return line && !now.what && !being_stopped;
    }
  };

  /// Committed, and answered when it is durable.
  struct written {
    errand of;
    rest_reply reply;
  };

  clerk_deps deps;
  storage::schema_snapshot schema;
  std::vector<place> places; ///< the last is that of the flush line, where there is one
  std::vector<written> flushing;   ///< wait for the flush under way
  std::vector<written> next_flush; ///< committed since it began
  std::deque<errand> waiting;
  bool looking = false; ///< a look_at_lines is under way
};

/// Asks `catalog` for the schema first; requests wait until it has answered. Without a
/// schema they fail with unavailable, PGRST002.
clerk_actor::behavior_type clerk(clerk_actor::stateful_pointer<clerk_state> self,
                                 clerk_deps deps);

} // namespace jessica::actors
