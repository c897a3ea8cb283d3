#include "storage/cluster_setup.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <format>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

namespace fs = std::filesystem;

bool library_exists(const programs& with, std::string_view name) {
  const auto file = std::format("{}.so", name);
  const auto prefix = with.bin_dir.parent_path();
  auto unreadable = std::error_code{};
  return fs::exists(prefix / "lib" / file, unreadable) ||
         fs::exists(prefix / "lib/postgresql" / file, unreadable);
}

// Sized for a small machine that also runs the server: two cores, memory shared with
// the vector index and the embedding model.
constexpr auto settings = std::string_view{R"(
# Jessica's own settings. Sockets only; where they are is said at each start.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
idle_in_transaction_session_timeout = 60s
timezone = UTC
log_timezone = UTC

# The change feed. A reader that fell behind must not fill the disk.
wal_level = logical
max_wal_senders = 8
max_replication_slots = 8
max_slot_wal_keep_size = 1GB
wal_sender_timeout = 30s
max_worker_processes = 12

# Stored broadcasts are replayed in the order of their commits.
track_commit_timestamp = on

shared_buffers = 512MB
effective_cache_size = 4GB
work_mem = 8MB
maintenance_work_mem = 256MB
wal_buffers = 16MB
wal_compression = lz4
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1
autovacuum_naptime = 15s

# Short statements only: compiling or parallelising them costs more than it gains.
jit = off
max_parallel_workers_per_gather = 0

# Details and statements may hold what people wrote.
log_error_verbosity = terse
log_min_error_statement = panic
)"};

// pg_cron would connect over TCP, which there is none of.
constexpr auto cron_settings = std::string_view{R"(
cron.database_name = 'postgres'
cron.use_background_workers = on
cron.log_run = off
)"};

std::string settings_for(const cluster_options& options, const programs& with) {
  auto preload = std::string{};
  const auto cron = options.with_cron && library_exists(with, "pg_cron");
  if (cron) {
    preload = "pg_cron";
  }
  if (library_exists(with, "vector")) {
    preload += preload.empty() ? "vector" : ",vector";
  }
  auto text = std::format("{}shared_preload_libraries = '{}'\n", settings, preload);
  if (cron) {
    text += cron_settings;
  }
  for (const auto& line : options.settings) {
    text += line + "\n";
  }
  return text;
}

// Who may log in: the server's user and root, as any role, over the socket. The socket
// directory lets nobody else near.
std::string ident_for(const os_user& user) {
  auto text = std::format("jessica {} all\n", user.name);
  if (user.uid != 0) {
    text += "jessica root all\n";
  }
  return text;
}

constexpr auto hba = std::string_view{"local all all peer map=jessica\n"
                                      "local replication all peer map=jessica\n"};

result<void> write_text(const fs::path& file, std::ios::openmode mode,
                        std::string_view text) {
  auto out = std::ofstream{file, mode};
  out << text;
  out.close();
  if (!out) {
    return fail(errc::unavailable, std::format("cannot write {}", file.string()));
  }
  return {};
}

result<void> run_initdb(const cluster_layout& at, const programs& with,
                        const os_user& user, std::vector<std::string> arguments) {
  constexpr auto limit = std::chrono::minutes{3}; // a slow disk and a full cache
  const auto log = open_log_file(at);
  if (!log) {
    return std::unexpected{log.error()};
  }
  auto unknown = std::error_code{};
  const auto from = fs::file_size(at.log(), unknown);
  const auto as = ::geteuid() == 0 ? std::optional{user} : std::nullopt;
  arguments.insert(arguments.begin(), {"-D", at.unfinished().string()});
  auto running = start({.program = with.bin_dir / "initdb",
                        .arguments = std::move(arguments),
                        .as = as,
                        .output = log->get(),
                        .bound = true});
  if (!running) {
    return std::unexpected{std::move(running.error())};
  }
  if (!running->wait(limit)) {
    running->signal(SIGKILL);
    (void)running->wait(std::chrono::seconds{5});
    return fail(errc::unavailable, "initdb did not end in time");
  }
  if (running->exit_status() != 0) {
    return fail(errc::unavailable, "initdb failed: " + log_tail(at, from));
  }
  return {};
}

} // namespace

result<void> make_cluster(const cluster_layout& at, const cluster_options& options,
                          const programs& with, const os_user& user) {
  auto broken = std::error_code{};
  fs::remove_all(at.unfinished(), broken); // what a killed initdb left
  const auto conf = at.unfinished();
  auto made =
      make_private(conf, user)
          .and_then([&] {
            return run_initdb(at, with, user,
                              {"-U", "postgres", "-E", "UTF8",
                               "--locale-provider=builtin", "--locale=C.UTF-8",
                               "--auth-local=peer", "--auth-host=reject",
                               "--data-checksums", "--no-sync"});
          })
          .and_then([&] {
            return write_text(conf / "postgresql.conf", std::ios::app,
                              settings_for(options, with));
          })
          .and_then(
              [&] { return write_text(conf / "pg_hba.conf", std::ios::out, hba); })
          .and_then([&] {
            return write_text(conf / "pg_ident.conf", std::ios::out, ident_for(user));
          })
          .and_then([&]() -> result<void> {
            return options.sync_after_init ? run_initdb(at, with, user, {"--sync-only"})
                                           : result<void>{};
          });
  if (!made) {
    return made;
  }
  fs::rename(at.unfinished(), at.data(), broken);
  if (broken) {
    return fail(errc::unavailable, "cannot rename data.new: " + broken.message());
  }
  return {};
}

} // namespace jessica::storage
