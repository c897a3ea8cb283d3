#include "storage/migrate.hpp"

#include "ops/log.hpp"
#include "storage/guarded.hpp"
#include "storage/server_fitness.hpp"
#include "storage/session.hpp"

#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/row>
#include <pqxx/transaction>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <format>
#include <functional>
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

// A database that is starting, or whose host is, refuses for a while; so does one that
// will never let us in: the log says why we wait.
result<pqxx::connection> connect_within(const endpoint& where,
                                        clock::time_point deadline,
                                        const std::function<bool()>& give_up) {
  constexpr auto pause = std::chrono::milliseconds{100};
  for (auto said = std::string{};;) {
    // On a foreign server the URL's own role owns the schema.
    auto open =
        open_session(where, where.switch_role ? std::string_view{} : role::migrations);
    if (open) {
      return guarded(
          [&] { return pqxx::connection::seize_raw_connection(open->release()); });
    }
    if (open.error().code != errc::unavailable || clock::now() + pause >= deadline ||
        (give_up && give_up())) {
      return std::unexpected{std::move(open.error())};
    }
    if (const auto& why = open.error().what; why != said) {
      ops::warn(
          "database.awaited",
          {{"cause", why},
           {"seconds_left",
            std::chrono::ceil<std::chrono::seconds>(deadline - clock::now()).count()}});
      said = why;
    }
    std::this_thread::sleep_for(pause);
  }
}

// Held until the connection ends. The limit is for the lock alone: a migration may wait
// for its own locks as long as it needs.
result<void> lock(pqxx::connection& db, clock::time_point deadline) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock::now());
  auto got = guarded([&] {
    auto alone = pqxx::nontransaction{db};
    alone.exec(
        std::format("set client_min_messages = warning; set statement_timeout = 0; "
                    "set lock_timeout = {}; select pg_advisory_lock({}); "
                    "set lock_timeout = 0",
                    std::max(left, milliseconds{1}).count(), lock_key));
  });
  if (!got && got.error().sql && got.error().sql->sqlstate == "55P03") {
    return fail(errc::unavailable, "another server is migrating this database");
  }
  return got;
}

result<record> read_ledger(pqxx::connection& db) {
  return guarded([&] {
    auto tx = pqxx::work{db};
    tx.exec(ledger);
    auto applied = record{};
    for (const auto& row :
         tx.exec("select name, sha256 from jessica_migrations.applied")) {
      applied.emplace(row[0].as<std::string>(), row[1].as<std::string>());
    }
    tx.commit();
    return applied;
  });
}

result<void> check_unedited(std::span<const migration> all, const record& applied) {
  for (const auto& one : all) {
    const auto known = applied.find(one.name);
    if (known != applied.end() && known->second != sha256_of(one.sql)) {
      return fail(
          errc::conflict,
          std::format(
              "migration {} is not the one that was applied: another version of "
              "Jessica made this database; start that one, or use another",
              one.name));
    }
  }
  return {};
}

std::string in_one_line(std::string text) {
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  std::ranges::replace(text, '\n', ' ');
  return text;
}

result<void> apply(pqxx::connection& db, const migration& one) {
  auto done = guarded([&] {
    auto tx = pqxx::work{db};
    tx.exec(one.sql);
    tx.exec("insert into jessica_migrations.applied (name, sha256) values ($1, $2)",
            pqxx::params{one.name, sha256_of(one.sql)});
    tx.commit();
  });
  if (done) {
    return {};
  }
  auto why = std::move(done.error());
  const auto rights = why.sql && why.sql->sqlstate == "42501" && one.self_hosted_only;
  why.what = std::format("migration {}: {}{}", one.name, in_one_line(why.what),
                         rights ? "; a database without ours needs a superuser" : "");
  why.code = why.code == errc::unavailable ? why.code : errc::internal;
  return std::unexpected{std::move(why)};
}

} // namespace

result<migration_report> migrate(const endpoint& where, std::span<const migration> all,
                                 std::chrono::seconds wait,
                                 const std::function<bool()>& give_up) {
  const auto deadline = clock::now() + wait;
  auto open = connect_within(where, deadline, give_up);
  if (!open) {
    return std::unexpected{std::move(open.error())};
  }
  auto& db = *open;
  const auto facts = look_at(db);
  if (!facts) {
    return std::unexpected{facts.error()};
  }
  auto applied =
      check_fitness(*facts).and_then([&] { return lock(db, deadline); }).and_then([&] {
        return read_ledger(db);
      });
  if (!applied) {
    return std::unexpected{std::move(applied.error())};
  }
  if (auto fine = check_unedited(all, *applied); !fine) {
    return std::unexpected{std::move(fine.error())};
  }
  auto report = migration_report{};
  for (const auto& one : all) {
    if (applied->contains(one.name)) {
      ++report.already;
    } else if (!one.self_hosted_only || !facts->hosted) {
      if (auto done = apply(db, one); !done) {
        return std::unexpected{std::move(done.error())};
      }
      report.applied.emplace_back(one.name);
    }
  }
  return report;
}

} // namespace jessica::storage
