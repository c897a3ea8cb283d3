// Our own PostgreSQL: made, started, watched and stopped by us. No TCP, no password.
#pragma once

#include "domain/error.hpp"
#include "storage/endpoint.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace jessica::storage {

struct cluster_options {
  std::filesystem::path directory; ///< data/, s/, pg.log and lock live here
  std::filesystem::path bin_dir;   ///< empty: pg_config --bindir, else Debian's path
  std::chrono::seconds start_timeout{30};
  /// The postmaster ends when the thread that started it ends (fast shutdown).
  bool bound_to_starter = true;
  bool sync_after_init = true; ///< tests switch it off
  bool with_cron = true;       ///< tests switch pg_cron off
  /// Lines for postgresql.conf after our own, when the cluster is made.
  std::vector<std::string> settings;
  /// Asked while it waits for PostgreSQL; true ends the wait. Empty: never.
  std::function<bool()> give_up = {};
};

/// A running cluster, started here or attached to. Use from one thread, the main one:
/// the postmaster is bound to the thread that starts it.
class cluster {
public:
  /// Makes the cluster when the directory has none, removes what a killed postmaster
  /// left, starts it or attaches to one that runs, and waits until it accepts.
  /// Fails: not_found (no PostgreSQL programs; says which package), invalid_input
  /// (socket path too long, directory not searchable by the server's user, PG_VERSION
  /// of another major version, uid without passwd entry, data of another user),
  /// unavailable (did not start; the end of pg.log is in `what`).
  [[nodiscard]] static result<cluster> open(cluster_options options);

  cluster(cluster&&) noexcept;
  cluster& operator=(cluster&&) noexcept;
  ~cluster(); ///< stops the postmaster when it was started here and is bound

  [[nodiscard]] endpoint where() const;
  [[nodiscard]] bool started_here() const noexcept;
  [[nodiscard]] int postmaster_pid() const noexcept;
  /// False once the postmaster is gone.
  [[nodiscard]] bool alive() const;
  /// Starts it again after it died. Same failures as open().
  [[nodiscard]] result<void> restart();
  /// SIGINT (fast), after 30 s SIGQUIT. Idempotent.
  [[nodiscard]] result<void> stop();

private:
  struct state;
  explicit cluster(std::unique_ptr<state>);
  std::unique_ptr<state> state_;
};

/// Stops the cluster of a directory if one runs. Fails: not_found.
[[nodiscard]] result<void> stop_cluster(const std::filesystem::path& directory);

} // namespace jessica::storage
