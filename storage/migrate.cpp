#include "storage/migrate.hpp"

#include "storage/session.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <format>
#include <map>
#include <thread>
#include <utility>

namespace jessica::storage {
namespace {

using clock = std::chrono::steady_clock;

// Any number will do, as long as every version of the server uses the same.
constexpr auto lock_key = std::string_view{"4842100120240101"};

// What was applied is nobody's business but the migrating role's.
constexpr auto ledger = std::string_view{R"(
create schema if not exists jessica_migrations;
revoke all on schema jessica_migrations from public;
create table if not exists jessica_migrations.applied (
  name text primary key,
  sha256 text not null,
  applied_at timestamptz not null default now()
))"};

using record = std::map<std::string, std::string, std::less<>>; // name -> sha256

std::string sha256_of(std::string_view sql) {
  auto digest = std::array<unsigned char, crypto_hash_sha256_BYTES>{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(sql.data()),
                     sql.size());
  auto hex = std::string{};
  for (const auto byte : digest) {
    hex += std::format("{:02x}", byte);
  }
  return hex;
}

// A database that is starting, or whose host is, refuses for a while.
result<session> connect_within(const endpoint& where, clock::time_point deadline) {
  constexpr auto pause = std::chrono::milliseconds{100};
  for (;;) {
    // On a foreign server the URL's own role owns the schema.
    auto open =
        open_session(where, where.switch_role ? std::string_view{} : role::migrations);
    if (open || open.error().code != errc::unavailable ||
        clock::now() + pause >= deadline) {
      return open;
    }
    std::this_thread::sleep_for(pause);
  }
}

// Held until the session ends. The limit is for the lock alone: a migration may wait
// for its own locks as long as it needs.
result<void> lock(pg_conn* open, clock::time_point deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now());
  auto got = execute(
      open, std::format("set client_min_messages = warning; set statement_timeout = 0; "
                        "set lock_timeout = {}; select pg_advisory_lock({}); "
                        "set lock_timeout = 0",
                        std::max(left, milliseconds{1}).count(), lock_key));
  if (!got && got.error().sql && got.error().sql->sqlstate == "55P03") {
    return fail(errc::unavailable, "another server is migrating this database");
  }
  return got.transform([](auto&&) {});
}

result<record> read_ledger(pg_conn* open) {
  if (auto made = execute(open, std::string{ledger}); !made) {
    return std::unexpected{std::move(made.error())};
  }
  auto got = execute(open, "select name, sha256 from jessica_migrations.applied");
  if (!got) {
    return std::unexpected{std::move(got.error())};
  }
  auto applied = record{};
  for (auto i = 0; i < got->size(); ++i) {
    applied.emplace(got->text(i, 0), got->text(i, 1));
  }
  return applied;
}

result<bool> is_hosted_project(pg_conn* open) {
  auto got =
      execute(open, "select not rolsuper and to_regclass('auth.users') is not null "
                    "from pg_roles where rolname = current_user");
  return got.transform([](auto&& one) { return one.text(0, 0) == "t"; });
}

result<void> check_unedited(std::span<const migration> all, const record& applied) {
  for (const auto& one : all) {
    const auto known = applied.find(one.name);
    if (known != applied.end() && known->second != sha256_of(one.sql)) {
      return fail(
          errc::conflict,
          std::format("migration {} was applied and has been edited since", one.name));
    }
  }
  return {};
}

result<void> apply(pg_conn* open, const migration& one) {
  const auto name_and_hash =
      std::array{parameter{one.name}, parameter{sha256_of(one.sql)}};
  auto done = execute(open, "begin")
                  .and_then([&](auto&&) { return execute(open, std::string{one.sql}); })
                  .and_then([&](auto&&) {
                    return execute(open,
                                   "insert into jessica_migrations.applied "
                                   "(name, sha256) values ($1, $2)",
                                   name_and_hash);
                  })
                  .and_then([&](auto&&) { return execute(open, "commit"); });
  if (done) {
    return {};
  }
  (void)execute(open,
                "rollback"); // the session may be gone: then there is nothing left
  auto why = std::move(done.error());
  why.what = std::format("migration {}: {}", one.name, why.what);
  why.code = why.code == errc::unavailable ? why.code : errc::internal;
  return std::unexpected{std::move(why)};
}

} // namespace

result<migration_report> migrate(const endpoint& where, std::span<const migration> all,
                                 std::chrono::seconds wait) {
  const auto deadline = clock::now() + wait;
  auto open = connect_within(where, deadline);
  if (!open) {
    return std::unexpected{std::move(open.error())};
  }
  auto* const db = open->get();
  auto applied = lock(db, deadline).and_then([&] { return read_ledger(db); });
  if (!applied) {
    return std::unexpected{std::move(applied.error())};
  }
  const auto hosted = is_hosted_project(db);
  if (!hosted) {
    return std::unexpected{hosted.error()};
  }
  if (auto fine = check_unedited(all, *applied); !fine) {
    return std::unexpected{std::move(fine.error())};
  }
  auto report = migration_report{};
  for (const auto& one : all) {
    if (applied->contains(one.name)) {
      ++report.already;
    } else if (!one.self_hosted_only || !*hosted) {
      if (auto done = apply(db, one); !done) {
        return std::unexpected{std::move(done.error())};
      }
      report.applied.emplace_back(one.name);
    }
  }
  return report;
}

} // namespace jessica::storage
