#include "actors/service_roll.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <ranges>

namespace jessica::actors {

void service_roll::end() {
  for (const auto& one : services_ | std::views::reverse)
    caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  services_.clear();
}

caf::actor service_roll::add(caf::actor one) {
  return services_.emplace_back(std::move(one));
}

} // namespace jessica::actors
