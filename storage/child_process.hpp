// Programs we start and processes we watch: fork and exec without a shell, another
// user's credentials, handles that survive the reuse of a pid. Linux only.
#pragma once

#include "domain/error.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// An operating system user.
struct os_user {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

/// A file descriptor with one owner.
class open_file {
public:
  open_file() = default;
  explicit open_file(int descriptor) noexcept : descriptor_(descriptor) {}
  ~open_file();
  open_file(open_file&& other) noexcept;
  open_file& operator=(open_file&& other) noexcept;

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] explicit operator bool() const noexcept { return descriptor_ >= 0; }

private:
  int descriptor_ = -1;
};

/// One process, by a handle of the kernel: a reused pid is never mistaken for it.
class process {
public:
  /// Nullopt when no such process is left.
  [[nodiscard]] static std::optional<process> find(pid_t pid);

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// False once it ended; a child is reaped then.
  [[nodiscard]] bool alive() const;
  /// False when it had ended already or is not ours to signal.
  bool signal(int number) const;
  /// True when it ended within `limit`.
  [[nodiscard]] bool wait(std::chrono::milliseconds limit) const;
  /// Exit status of a child that ended (as a shell has it); nullopt for others.
  [[nodiscard]] std::optional<int> exit_status() const;

private:
  process(pid_t pid, open_file handle);

  pid_t pid_;
  open_file handle_;
  mutable std::optional<int> status_;
};

struct launch {
  std::filesystem::path program;
  std::vector<std::string> arguments; ///< without the program's own name
  std::optional<os_user> as;          ///< only root can ask for another user
  int output = -1;                    ///< stdout and stderr
  bool bound = false; ///< gets SIGINT when the thread that started it ends
};

/// Starts it in a session of its own (a terminal's Ctrl-C does not reach it), with a
/// small clean environment, no inherited descriptors and "/" as directory. A program
/// that cannot be run ends with status 127. Fails: unavailable.
[[nodiscard]] result<process> start(const launch& what);

/// Processes whose working directory is `directory`, zombies not counted.
[[nodiscard]] std::vector<pid_t> processes_in(const std::filesystem::path& directory);

/// Is `directory` the working directory of this process?
[[nodiscard]] bool works_in(pid_t pid, const std::filesystem::path& directory);

/// The text of an errno value.
[[nodiscard]] std::string reason_of(int error_number);

} // namespace jessica::storage
