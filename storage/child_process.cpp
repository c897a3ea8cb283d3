#include "storage/child_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <format>
#include <system_error>
#include <utility>

// glibc 2.36 forgot to say that these are C.
extern "C" {
#include <sys/pidfd.h>
}

namespace jessica::storage {
namespace {

constexpr auto cannot_run = 127; // what a shell answers

// Everything the child needs, made before fork: between fork and exec a process with
// threads may only make calls that are safe in a signal handler.
struct prepared_launch {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  const os_user* as = nullptr;
  int null_input = -1;
  int output = -1;
  bool bound = false;
  pid_t starter = 0;
};

bool take_credentials(const os_user& user) noexcept {
  return ::setgroups(user.groups.size(), user.groups.data()) == 0 &&
         ::setgid(user.gid) == 0 && ::setuid(user.uid) == 0;
}

[[noreturn]] void become(const prepared_launch& what) noexcept {
  (void)::setsid();
  auto ready = ::dup2(what.null_input, STDIN_FILENO) >= 0 &&
               ::dup2(what.output, STDOUT_FILENO) >= 0 &&
               ::dup2(what.output, STDERR_FILENO) >= 0;
  ready = ready && (what.as == nullptr || take_credentials(*what.as));
  // After the credentials: changing them clears it. The starter may have gone before.
  if (ready && what.bound) {
    ready = ::prctl(PR_SET_PDEATHSIG, SIGINT) == 0 && ::getppid() == what.starter;
  }
  ready = ready && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  // Not an inherited lock, socket or signal mask.
  ready = ready && ::close_range(STDERR_FILENO + 1, ~0U, 0) == 0 && ::chdir("/") == 0;
  auto none = sigset_t{};
  (void)::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  (void)::signal(SIGPIPE, SIG_DFL);
  if (ready) {
    ::execve(what.arguments.front(), what.arguments.data(), what.environment.data());
  }
  ::_exit(cannot_run);
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  auto pointers = std::vector<char*>{};
  for (auto& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

} // namespace

std::string reason_of(int error_number) {
  return std::generic_category().message(error_number);
}

open_file::~open_file() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

open_file::open_file(open_file&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

open_file& open_file::operator=(open_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

process::process(pid_t pid, open_file handle) : pid_(pid), handle_(std::move(handle)) {}

std::optional<process> process::find(pid_t pid) {
  auto handle = open_file{pid > 0 ? ::pidfd_open(pid, 0) : -1};
  if (!handle) {
    return std::nullopt;
  }
  return process{pid, std::move(handle)};
}

bool process::wait(std::chrono::milliseconds limit) const {
  using clock = std::chrono::steady_clock;
  const auto deadline = clock::now() + limit;
  auto ended = pollfd{handle_.get(), POLLIN, 0};
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
    const auto got = ::poll(&ended, 1, static_cast<int>(std::max(left.count(), 0L)));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    auto info = siginfo_t{};
    const auto id = static_cast<id_t>(handle_.get());
    if (!status_ && ::waitid(P_PIDFD, id, &info, WEXITED | WNOHANG) == 0 &&
        info.si_pid == pid_) {
      constexpr auto signalled = 128; // as a shell counts
      status_ =
          info.si_code == CLD_EXITED ? info.si_status : signalled + info.si_status;
    }
    return true;
  }
}

bool process::alive() const {
  return !wait(std::chrono::milliseconds{0});
}

bool process::signal(int number) const {
  return ::pidfd_send_signal(handle_.get(), number, nullptr, 0) == 0;
}

std::optional<int> process::exit_status() const {
  return status_;
}

result<process> start(const launch& what) {
  auto arguments = what.arguments;
  arguments.insert(arguments.begin(), what.program.string());
  auto environment =
      std::vector<std::string>{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                               "LC_ALL=C.UTF-8", "HOME=/", "TZ=UTC"};
  const auto null_input = open_file{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!null_input) {
    return fail(errc::unavailable, "cannot open /dev/null: " + reason_of(errno));
  }
  const auto plan = prepared_launch{
      .arguments = pointers_to(arguments),
      .environment = pointers_to(environment),
      .as = what.as ? &*what.as : nullptr,
      .null_input = null_input.get(),
      .output = what.output >= 0 ? what.output : null_input.get(),
      .bound = what.bound,
      .starter = ::getpid(),
  };
  const auto pid = ::fork();
  if (pid < 0) {
    return fail(errc::unavailable, "cannot start a process: " + reason_of(errno));
  }
  if (pid == 0) {
    become(plan);
  }
  auto child = process::find(pid); // not reaped yet, so the pid is still its own
  if (!child) {
    (void)::kill(pid, SIGKILL);
    (void)::waitpid(pid, nullptr, 0);
    return fail(errc::unavailable, "cannot watch a process: " + reason_of(errno));
  }
  return std::move(*child);
}

bool works_in(pid_t pid, const std::filesystem::path& directory) {
  auto unreadable = std::error_code{}; // gone, a zombie, or another user's
  return pid > 0 && std::filesystem::equivalent(std::format("/proc/{}/cwd", pid),
                                                directory, unreadable);
}

std::vector<pid_t> processes_in(const std::filesystem::path& directory) {
  auto found = std::vector<pid_t>{};
  auto broken = std::error_code{};
  auto entry = std::filesystem::directory_iterator{"/proc", broken};
  for (; !broken && entry != std::filesystem::end(entry); entry.increment(broken)) {
    const auto name = entry->path().filename().string();
    auto pid = pid_t{0};
    const auto [end, bad] =
        std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad == std::errc{} && end == name.data() + name.size() &&
        works_in(pid, directory)) {
      found.push_back(pid);
    }
  }
  return found;
}

} // namespace jessica::storage
