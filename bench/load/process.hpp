// A server as a child process: started, waited for, measured through /proc, stopped by
// its process id.
#pragma once

#include "domain/error.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::bench {

class process {
public:
  /// The program and its arguments; what it prints goes to `log`, which is replaced. It
  /// gets SIGTERM when this process dies, and stays on `core` if one is given. Only
  /// from the main thread, before others are started. Fails: unavailable.
  [[nodiscard]] static result<process> start(const std::vector<std::string>& command,
                                             std::filesystem::path log,
                                             std::optional<int> core);
  process(process&& other) noexcept
      : id_(std::exchange(other.id_, 0)), log_(std::move(other.log_)) {}
  ~process() { stop(); }

  /// The first line of the log that holds `words`. Fails: timeout, unavailable (the
  /// process ended), both with the end of the log.
  [[nodiscard]] result<std::string> wait_for(std::string_view words,
                                             std::chrono::seconds limit);

  /// Processor time used so far, user and kernel together, to 10 ms.
  [[nodiscard]] std::chrono::microseconds cpu_time() const;
  /// Resident memory; shared libraries count in full.
  [[nodiscard]] std::uint64_t resident_bytes() const;

  /// SIGTERM, and after a minute SIGKILL.
  void stop() noexcept;

private:
  process(pid_t id, std::filesystem::path log) : id_(id), log_(std::move(log)) {}
  [[nodiscard]] bool ended() noexcept;

  pid_t id_ = 0; ///< 0: none, or it has ended
  std::filesystem::path log_;
};

} // namespace jessica::bench
