#include "storage/cluster.hpp"

#include "storage/child_process.hpp"
#include "storage/cluster_setup.hpp"
#include "storage/connection.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <format>
#include <fstream>
#include <thread>
#include <utility>

namespace jessica::storage {
namespace {

namespace fs = std::filesystem;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto pause = milliseconds{10};      // between two looks at a start
constexpr auto fast_stop_limit = seconds{30}; // for the shutdown checkpoint
constexpr auto quit_limit = seconds{5};

// What PostgreSQL writes about itself into postmaster.pid.
struct postmaster_record {
  pid_t pid = 0;
  std::string status; // "starting", "ready", "stopping", ...
};

postmaster_record read_record(const cluster_layout& at) {
  constexpr auto status_line = 8;
  auto record = postmaster_record{};
  auto in = std::ifstream{at.pid_file()};
  auto line = std::string{};
  for (auto i = 1; i <= status_line && std::getline(in, line); ++i) {
    if (i == 1) {
      record.pid = std::atoi(line.c_str());
    } else if (i == status_line) {
      record.status = line.substr(0, line.find(' '));
    }
  }
  return record;
}

// A recorded pid may be a zombie, or belong to somebody else by now: only a process
// that works in the data directory counts.
std::optional<process> running_postmaster(const cluster_layout& at) {
  auto found = process::find(read_record(at).pid);
  if (found && works_in(found->pid(), at.data())) {
    return found;
  }
  return std::nullopt;
}

result<open_file> lock(const cluster_layout& at, clock::time_point deadline,
                       const std::function<bool()>& give_up) {
  auto file = open_file{::open(at.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!file) {
    return fail(errc::invalid_input,
                std::format("cannot open {}: {}; run as the user it belongs to, or "
                            "choose another storage.directory (--storage-directory)",
                            at.lock().string(), reason_of(errno)));
  }
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (clock::now() >= deadline || (give_up && give_up())) {
      return fail(errc::unavailable,
                  std::format("another process holds {}", at.lock().string()));
    }
    std::this_thread::sleep_for(pause);
  }
  return file;
}

// Only once no process of the cluster is left: PostgreSQL itself would refuse to start
// when the recorded pid is a zombie or was given to another process.
void remove_leftovers(const cluster_layout& at) {
  auto absent = std::error_code{};
  fs::remove(at.pid_file(), absent);
  fs::remove(at.socket(), absent);
  fs::remove(at.socket().string() + ".lock", absent);
}

result<void> end(const process& postmaster) {
  if (postmaster.signal(SIGINT) && !postmaster.wait(fast_stop_limit)) {
    postmaster.signal(SIGQUIT);
  }
  if (!postmaster.wait(quit_limit)) {
    return fail(errc::unavailable,
                std::format("PostgreSQL (pid {}) does not stop", postmaster.pid()));
  }
  return {};
}

} // namespace

struct cluster::state {
  cluster_options options;
  cluster_layout at;
  os_user user;
  programs with;
  std::optional<process> postmaster;
  bool started = false;

  [[nodiscard]] endpoint where() const;
  result<void> prepare();
  result<void> bring_up();
  result<process> launch_postmaster() const;
  [[nodiscard]] bool accepts() const;
  result<void> await(clock::time_point deadline);
};

endpoint cluster::state::where() const {
  return {std::format("host='{}' port=5432 dbname=postgres", at.sockets().string()),
          false, seconds{5}};
}

// With the lock held: a cluster of the right version is there.
result<void> cluster::state::prepare() {
  const auto version = version_of(at);
  if (version && *version != with.major) {
    return fail(errc::invalid_input,
                std::format("{} holds a cluster of PostgreSQL {}, the programs in {} "
                            "are version {}: pg_upgrade it, name other programs "
                            "(storage.bin_dir), or choose another storage.directory",
                            at.data().string(), *version, with.bin_dir.string(),
                            with.major));
  }
  if (version) {
    if (auto ours = check_owner(at, user); !ours) {
      return ours;
    }
  }
  return version ? result<void>{} : make_cluster(at, options, with, user);
}

result<process> cluster::state::launch_postmaster() const {
  const auto log = open_log_file(at);
  if (!log) {
    return std::unexpected{log.error()};
  }
  return start({.program = with.bin_dir / "postgres",
                .arguments = {"-D", at.data().string(), "-c",
                              std::format("unix_socket_directories=\"{}\"",
                                          at.sockets().string())},
                .as = ::geteuid() == 0 ? std::optional{user} : std::nullopt,
                .output = log->get(),
                .bound = options.bound_to_starter});
}

// A status file can be older than the truth (a postmaster that is being killed): only a
// real connection counts.
bool cluster::state::accepts() const {
  return read_record(at).status == "ready" &&
         connection{where(), role::migrations}.ensure().has_value();
}

result<void> cluster::state::await(clock::time_point deadline) {
  auto unknown = std::error_code{};
  const auto size = fs::file_size(at.log(), unknown);
  const auto log_from = unknown ? std::uintmax_t{0} : size;
  auto child = std::optional<process>{};
  while (clock::now() < deadline && !(options.give_up && options.give_up())) {
    auto running = running_postmaster(at);
    if (running && accepts() && running->alive()) {
      started = child && child->pid() == running->pid();
      postmaster = started ? std::move(child) : std::move(running);
      return {};
    }
    if (child && !child->alive()) {
      return fail(errc::unavailable,
                  "PostgreSQL did not start: " + log_tail(at, log_from));
    }
    // Orphans of a killed postmaster end by themselves; until then nothing may start.
    if (!child && !running && processes_in(at.data()).empty()) {
      remove_leftovers(at);
      auto made = launch_postmaster();
      if (!made) {
        return std::unexpected{std::move(made.error())};
      }
      child = std::move(*made);
    }
    std::this_thread::sleep_for(pause);
  }
  if (child) {
    (void)end(*child);
  }
  return fail(errc::unavailable,
              std::format("PostgreSQL does not accept connections after {} s: {}",
                          options.start_timeout.count(), log_tail(at, log_from)));
}

result<void> cluster::state::bring_up() {
  const auto deadline = clock::now() + options.start_timeout;
  const auto held = lock(at, deadline, options.give_up);
  if (!held) {
    return std::unexpected{held.error()};
  }
  return prepare().and_then(
      [&] { return await(clock::now() + options.start_timeout); });
}

cluster::cluster(std::unique_ptr<state> made) : state_(std::move(made)) {}
cluster::cluster(cluster&&) noexcept = default;

cluster& cluster::operator=(cluster&& other) noexcept {
  std::swap(state_, other.state_); // the other one stops what was ours
  return *this;
}

cluster::~cluster() {
  if (state_ && state_->started && state_->options.bound_to_starter) {
    (void)stop();
  }
}

result<cluster> cluster::open(cluster_options options) {
  auto at = lay_out(options.directory);
  if (!at) {
    return std::unexpected{std::move(at.error())};
  }
  auto user = server_user();
  if (!user) {
    return std::unexpected{std::move(user.error())};
  }
  auto with = find_programs(options.bin_dir, version_of(*at));
  if (!with) {
    return std::unexpected{std::move(with.error())};
  }
  auto made = std::make_unique<state>(state{std::move(options), std::move(*at),
                                            std::move(*user), std::move(*with),
                                            std::nullopt, false});
  auto up =
      make_directories(made->at, made->user).and_then([&] { return made->bring_up(); });
  if (!up) {
    return std::unexpected{std::move(up.error())};
  }
  return cluster{std::move(made)};
}

endpoint cluster::where() const {
  return state_->where();
}
bool cluster::started_here() const noexcept {
  return state_->started;
}

int cluster::postmaster_pid() const noexcept {
  return state_->postmaster ? state_->postmaster->pid() : 0;
}

bool cluster::alive() const {
  return state_->postmaster && state_->postmaster->alive();
}

result<void> cluster::restart() {
  state_->postmaster.reset();
  return state_->bring_up();
}

result<void> cluster::stop() {
  if (!alive()) {
    return {};
  }
  return end(*state_->postmaster);
}

result<void> stop_cluster(const fs::path& directory) {
  const auto at = lay_out(directory);
  if (!at) {
    return std::unexpected{at.error()};
  }
  const auto running = running_postmaster(*at);
  if (!running) {
    return fail(errc::not_found,
                std::format("no PostgreSQL runs in {}", at->directory.string()));
  }
  return end(*running);
}

} // namespace jessica::storage
