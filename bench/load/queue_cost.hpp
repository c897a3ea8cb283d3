// Processor time of PostgreSQL and of its clients: what a rate would be on a machine
// that has nothing else to do, whatever else this one does.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace jessica::bench {

/// Of a postmaster and all its children, those that have ended too; to 10 ms.
[[nodiscard]] std::chrono::microseconds postgres_cpu(pid_t postmaster);

/// From its making until took(): ours and PostgreSQL's together.
class cost_meter {
public:
  explicit cost_meter(pid_t postmaster);
  [[nodiscard]] std::chrono::microseconds took() const;

private:
  [[nodiscard]] std::chrono::microseconds total() const;

  pid_t postmaster_;
  std::chrono::microseconds begun_;
};

} // namespace jessica::bench
