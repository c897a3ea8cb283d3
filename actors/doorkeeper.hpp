// DOORKEEPER: which logins are here, and which are over. See protocol.hpp.
#pragma once

#include "actors/login_roll.hpp"
#include "actors/protocol.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

namespace jessica::actors {

/// What one DOORKEEPER leaves to the next.
struct doorkeeper_memory {
  explicit doorkeeper_memory(std::size_t remembered) : roll{remembered} {}
  login_roll roll;
  std::unordered_map<login_roll::guest, session_actor> sessions;
};

struct doorkeeper_deps {
  reader_actor readers;
  std::shared_ptr<doorkeeper_memory> memory;
  std::function<std::chrono::sys_seconds()> now; ///< the wall clock bans are held to
};

struct doorkeeper_state {
  struct waiting {
    caf::typed_response_promise<entered> answer;
    std::shared_ptr<user_meter> meter;
  };
  doorkeeper_deps deps;
  std::set<login> questions; ///< to ask the database next
  std::unordered_map<login, std::vector<waiting>> askers;
  bool asking = false;   ///< a question is under way
  bool retrying = false; ///< everybody is doubted again in a moment
};

doorkeeper_actor::behavior_type
doorkeeper(doorkeeper_actor::stateful_pointer<doorkeeper_state> self,
           doorkeeper_deps deps);

} // namespace jessica::actors
