#include "actors/scheduler_config.hpp"

#include <caf/atom.hpp>

#include <algorithm>
#include <cstddef>
#include <thread>

namespace jessica::actors {

scheduler_config::scheduler_config() {
  constexpr auto messages_a_turn = std::size_t{64};
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads",
      std::max(std::size_t{2}, std::size_t{std::thread::hardware_concurrency()}));
  set("scheduler.max-throughput", messages_a_turn);
}

} // namespace jessica::actors
