#include "ops/thread_priority.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace jessica::ops {

void give_way() noexcept {
  constexpr auto step = 10;
  const auto self = static_cast<id_t>(::gettid());
  (void)::setpriority(PRIO_PROCESS, self, ::getpriority(PRIO_PROCESS, self) + step);
}

} // namespace jessica::ops
