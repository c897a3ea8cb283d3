// What must be true before our own PostgreSQL can start: programs, a user to run as,
// directories that user can reach, a cluster made by initdb. Private to this room.
#pragma once

#include "domain/error.hpp"
#include "storage/child_process.hpp"
#include "storage/cluster.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace jessica::storage {

/// Where things lie under a cluster's directory.
struct cluster_layout {
  std::filesystem::path directory;

  [[nodiscard]] std::filesystem::path data() const { return directory / "data"; }
  [[nodiscard]] std::filesystem::path unfinished() const {
    return directory / "data.new";
  }
  [[nodiscard]] std::filesystem::path sockets() const { return directory / "s"; }
  [[nodiscard]] std::filesystem::path socket() const {
    return sockets() / ".s.PGSQL.5432"; // no TCP: the port is only part of a name
  }
  [[nodiscard]] std::filesystem::path log() const { return directory / "pg.log"; }
  [[nodiscard]] std::filesystem::path lock() const { return directory / "lock"; }
  [[nodiscard]] std::filesystem::path pid_file() const {
    return data() / "postmaster.pid";
  }
};

/// PostgreSQL's programs of one version.
struct programs {
  std::filesystem::path bin_dir;
  int major = 0;
};

/// The absolute form of `directory`. Fails: invalid_input (the socket's path would be
/// too long, or has a character that a connection string cannot carry).
[[nodiscard]] result<cluster_layout> lay_out(const std::filesystem::path& directory);

/// Who PostgreSQL runs as: ourselves, or `postgres` when we are root. Fails:
/// invalid_input (no passwd entry), not_found (root, and no such user).
[[nodiscard]] result<os_user> server_user();

/// Fails: not_found (no programs, or older than 17; says which package).
[[nodiscard]] result<programs> find_programs(const std::filesystem::path& bin_dir,
                                             std::optional<int> wanted);

/// The major version of a cluster's files; nullopt when there is no cluster.
[[nodiscard]] std::optional<int> version_of(const cluster_layout& at);

/// Fails: invalid_input, naming the first directory on the way that `user` may not
/// search.
[[nodiscard]] result<void> check_reachable(const std::filesystem::path& directory,
                                           const os_user& user);

/// PostgreSQL reads only data of its own user. Fails: invalid_input, naming whose they
/// are.
[[nodiscard]] result<void> check_owner(const cluster_layout& at, const os_user& user);

/// Makes the directory and the socket directory where missing. Fails: invalid_input.
[[nodiscard]] result<void> make_directories(const cluster_layout& at,
                                            const os_user& user);

/// The log, open for appending. Fails: invalid_input.
[[nodiscard]] result<open_file> open_log_file(const cluster_layout& at);

/// The log's text after `from`, at most its last 2 kB.
[[nodiscard]] std::string log_tail(const cluster_layout& at, std::uintmax_t from);

/// A directory that only `user` may enter.
[[nodiscard]] result<void> make_private(const std::filesystem::path& path,
                                        const os_user& user);

/// Runs initdb beside the final place and renames: a killed initdb leaves no half
/// cluster. Fails: unavailable (with the log's end).
[[nodiscard]] result<void> make_cluster(const cluster_layout& at,
                                        const cluster_options& options,
                                        const programs& with, const os_user& user);

/// `path` belongs to `user` from now on (nothing to do unless we are root).
[[nodiscard]] result<void> give_to(const std::filesystem::path& path,
                                   const os_user& user);

} // namespace jessica::storage
