#include "storage/child_process.hpp"
#include "storage/cluster.hpp"
#include "storage/cluster_setup.hpp"
#include "storage/connection.hpp"
#include "storage/migrate.hpp"
#include "tests/fixtures/temp_postgres.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <format>
#include <fstream>
#include <iterator>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace jessica;
using namespace std::chrono_literals;
using storage::cluster;
using storage::cluster_options;
using storage::statement;

std::string why(const auto& got) {
  return got ? "it succeeded"
             : std::format("{}: {}", name(got.error().code), got.error().what);
}

cluster must_open(cluster_options options) {
  auto got = cluster::open(std::move(options));
  REQUIRE_MESSAGE(got, why(got));
  return std::move(*got);
}

cluster_options unbound(const fs::path& directory) {
  auto options = test::quick_cluster(directory);
  options.bound_to_starter = false;
  return options;
}

std::string ask(const cluster& server, std::string sql) {
  auto db = storage::connection{server.where(), storage::role::migrations};
  const auto got = db.run(statement{std::move(sql), {}});
  REQUIRE_MESSAGE(got, why(got));
  return got->size() > 0 ? std::string{got->text(0, 0)} : "";
}

error refusal(cluster_options options) {
  auto got = cluster::open(std::move(options));
  REQUIRE_FALSE(got);
  return got.error();
}

void put(const fs::path& file, std::string_view text) {
  std::ofstream{file} << text;
}

std::string read(const fs::path& file) {
  auto in = std::ifstream{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

TEST_SUITE("storage.cluster") {
  TEST_CASE("a cluster is made, keeps its data over a stop, and is private") {
    const auto home = test::temp_directory{};
    const auto at = home.path() / "deep" / "pg";
    {
      auto server = must_open(test::quick_cluster(at));
      CHECK(server.started_here());
      CHECK(server.alive());
      CHECK(server.postmaster_pid() > 0);
      CHECK(ask(server, "select current_user") == "postgres");
      CHECK(ask(server, "create table kept (x int)").empty());
      CHECK(ask(server, "show listen_addresses").empty());
      CHECK(ask(server, "show data_checksums") == "on");
      CHECK(ask(server, "show wal_level") == "logical");
      CHECK(ask(server, "select datlocprovider::text || datlocale from pg_database "
                        "where datname = 'postgres'") == "bC.UTF-8");
      CHECK(server.stop());
      CHECK_FALSE(server.alive());
      CHECK(server.stop()); // idempotent
      CHECK_FALSE(fs::exists(at / "data" / "postmaster.pid"));
    }
    CHECK(read(at / "data" / "pg_hba.conf") ==
          "local all all peer map=jessica\n"
          "local replication all peer map=jessica\n");
    CHECK(read(at / "data" / "pg_ident.conf").contains("jessica root all\n"));
    CHECK(fs::status(at / "data").permissions() == fs::perms{0700});
    CHECK(fs::status(at / "s").permissions() == fs::perms{0700});
    CHECK(fs::status(at / "pg.log").permissions() == fs::perms{0600});
    auto again = must_open(test::quick_cluster(at));
    CHECK(ask(again, "select count(*) from kept") == "0");
  }

  TEST_CASE("the end of its owner object stops a bound cluster, not an unbound one") {
    const auto home = test::temp_directory{};
    auto options = test::quick_cluster(home.path() / "pg");
    auto pid = 0;
    {
      const auto server = must_open(options);
      pid = server.postmaster_pid();
    }
    CHECK_FALSE(storage::works_in(pid, home.path() / "pg" / "data"));
    {
      const auto server = must_open(unbound(home.path() / "pg"));
      pid = server.postmaster_pid();
    }
    CHECK(storage::works_in(pid, home.path() / "pg" / "data"));
    CHECK(storage::stop_cluster(home.path() / "pg"));
    CHECK_FALSE(storage::works_in(pid, home.path() / "pg" / "data"));
    const auto none = storage::stop_cluster(home.path() / "pg");
    REQUIRE_FALSE(none);
    CHECK(none.error().code == errc::not_found);
  }

  TEST_CASE("a second opener attaches and does not stop it") {
    const auto home = test::temp_directory{};
    auto first = must_open(test::quick_cluster(home.path() / "pg"));
    {
      auto second = must_open(test::quick_cluster(home.path() / "pg"));
      CHECK_FALSE(second.started_here());
      CHECK(second.postmaster_pid() == first.postmaster_pid());
      CHECK(second.where().conninfo == first.where().conninfo);
    }
    CHECK(first.alive());
    auto third = must_open(test::quick_cluster(home.path() / "pg"));
    CHECK(third.stop()); // but may be told to
    CHECK_FALSE(first.alive());
  }

  TEST_CASE("of two starters at once one starts and the other attaches") {
    const auto home = test::temp_directory{};
    auto opened = std::array<std::optional<result<cluster>>, 2>{};
    auto together = std::latch{2};
    {
      auto starters = std::vector<std::jthread>{};
      for (auto& one : opened) {
        starters.emplace_back([&] {
          together.arrive_and_wait();
          one = cluster::open(unbound(home.path() / "pg"));
        });
      }
    }
    REQUIRE_MESSAGE(*opened[0], why(*opened[0]));
    REQUIRE_MESSAGE(*opened[1], why(*opened[1]));
    CHECK((*opened[0])->started_here() != (*opened[1])->started_here());
    CHECK((*opened[0])->postmaster_pid() == (*opened[1])->postmaster_pid());
    CHECK(storage::stop_cluster(home.path() / "pg"));
  }

  TEST_CASE("a postmaster that was killed is replaced and nothing committed is lost") {
    const auto home = test::temp_directory{};
    auto server = must_open(test::quick_cluster(home.path() / "pg"));
    auto db = storage::connection{server.where(), storage::role::migrations};
    REQUIRE(db.run(statement{"create table kept as select 7 x", {}}));
    const auto before = server.postmaster_pid();
    REQUIRE(::kill(before, SIGKILL) == 0);
    REQUIRE(storage::process::find(before)->wait(10s));
    CHECK_FALSE(server.alive());
    const auto up = server.restart();
    REQUIRE_MESSAGE(up, why(up));
    CHECK(server.alive());
    CHECK(server.started_here());
    CHECK(server.postmaster_pid() != before);
    const auto got = db.run(statement{"select x from kept", {}});
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->integer(0, 0) == 7);
  }

  TEST_CASE(
      "a stale pid that belongs to another process now does not prevent a start") {
    const auto home = test::temp_directory{};
    const auto at = home.path() / "pg";
    REQUIRE(must_open(test::quick_cluster(at)).stop());
    put(at / "data" / "postmaster.pid",
        std::format("{}\n{}\n1\n5432\n{}\n\n  1 2\nready   \n", ::getpid(),
                    (at / "data").string(), (at / "s").string()));
    put(at / "s" / ".s.PGSQL.5432.lock", std::format("{}\n", ::getpid()));
    auto server = must_open(test::quick_cluster(at));
    CHECK(server.started_here());
    CHECK(ask(server, "select 1") == "1");
  }

  TEST_CASE("what a killed initdb left is thrown away") {
    const auto home = test::temp_directory{};
    const auto at = home.path() / "pg";
    fs::create_directories(at / "data.new" / "base");
    put(at / "data.new" / "PG_VERSION", "17\n");
    auto server = must_open(test::quick_cluster(at));
    CHECK(server.started_here());
    CHECK_FALSE(fs::exists(at / "data.new"));
  }

  TEST_CASE("a bound cluster ends by itself when its owner is killed") {
    const auto home = test::temp_directory{};
    auto ends = std::array<int, 2>{};
    REQUIRE(::pipe(ends.data()) == 0);
    const auto owner = ::fork();
    if (owner == 0) {
      const auto server = cluster::open(test::quick_cluster(home.path() / "pg"));
      const auto pid = server ? server->postmaster_pid() : 0;
      (void)!::write(ends[1], &pid, sizeof pid);
      for (;;) {
        ::pause();
      }
    }
    auto pid = 0;
    REQUIRE(::read(ends[0], &pid, sizeof pid) == sizeof pid);
    const auto postmaster = storage::process::find(pid);
    REQUIRE(::kill(owner, SIGKILL) == 0);
    REQUIRE(::waitpid(owner, nullptr, 0) == owner);
    ::close(ends[0]);
    ::close(ends[1]);
    REQUIRE(postmaster);
    CHECK(postmaster->wait(30s));
    CHECK_FALSE(fs::exists(home.path() / "pg" / "data" / "postmaster.pid")); // cleanly
  }

  TEST_CASE("pg_cron is loaded and used where it is installed") {
    if (!fs::exists("/usr/lib/postgresql/17/lib/pg_cron.so")) {
      MESSAGE("pg_cron is not installed here");
      return;
    }
    const auto home = test::temp_directory{};
    auto options = test::quick_cluster(home.path() / "pg");
    options.with_cron = true;
    auto server = must_open(options);
    CHECK(ask(server, "show shared_preload_libraries").starts_with("pg_cron"));
    CHECK(ask(server, "show cron.use_background_workers") == "on");
    const auto done = storage::migrate(server.where(), storage::migrations(), 30s);
    REQUIRE_MESSAGE(done, why(done));
    CHECK(
        ask(server, "select string_agg(jobname, ' ' order by jobname) from cron.job") ==
        "jessica-broadcasts jessica-purge jessica-sweep jessica-wake");
  }

  TEST_CASE("without PostgreSQL the package to install is named") {
    const auto home = test::temp_directory{};
    auto options = test::quick_cluster(home.path() / "pg");
    options.bin_dir = home.path();
    const auto why_not = refusal(options);
    CHECK(why_not.code == errc::not_found);
    CHECK(why_not.what.contains("postgresql-17"));
    CHECK(why_not.what.contains(home.path().string()));
  }

  TEST_CASE("a cluster of another major version is not touched") {
    const auto home = test::temp_directory{};
    fs::create_directories(home.path() / "pg" / "data");
    put(home.path() / "pg" / "data" / "PG_VERSION", "12\n");
    const auto why_not = refusal(test::quick_cluster(home.path() / "pg"));
    CHECK(why_not.code == errc::invalid_input);
    CHECK(why_not.what.contains("PostgreSQL 12"));
    CHECK(read(home.path() / "pg" / "data" / "PG_VERSION") == "12\n");
  }

  TEST_CASE(
      "the longest path works, odd characters in it too; one byte more does not") {
    const auto home = test::temp_directory{};
    constexpr auto longest = std::size_t{106}; // with the socket's name
    const auto socket = std::string_view{"/s/.s.PGSQL.5432"};
    const auto odd = std::string_view{"a b=%c"};
    const auto taken = home.path().string().size() + 1 + odd.size() + socket.size();
    const auto fits =
        home.path() / (std::string{odd} + std::string(longest - taken, 'p'));
    const auto server = must_open(test::quick_cluster(fits));
    CHECK(ask(server, "select 1") == "1");
    const auto why_not = refusal(test::quick_cluster(fits.string() + "p"));
    CHECK(why_not.code == errc::invalid_input);
    CHECK(why_not.what.contains("107 bytes"));
  }

  TEST_CASE("a path that a connection string cannot carry is refused") {
    const auto home = test::temp_directory{};
    for (const auto* const odd : {"a,b", "a'b", "a\"b", "a\\b", "a\nb"}) {
      CHECK(refusal(test::quick_cluster(home.path() / odd)).code ==
            errc::invalid_input);
    }
    CHECK(fs::is_empty(home.path()));
  }

  TEST_CASE("a directory on the way that PostgreSQL's user may not search is named") {
    if (::geteuid() != 0) {
      MESSAGE("only root runs PostgreSQL as another user");
      return;
    }
    const auto home = test::temp_directory{};
    const auto closed = home.path() / "closed";
    fs::create_directory(closed);
    for (const auto mode : {0700, 0744, 0770}) {
      fs::permissions(closed, fs::perms{static_cast<unsigned>(mode)});
      const auto why_not = refusal(test::quick_cluster(closed / "pg"));
      CHECK(why_not.code == errc::invalid_input);
      CHECK(why_not.what.contains("chmod o+x " + closed.string() + ","));
    }
    const auto user = storage::server_user();
    REQUIRE(user);
    fs::permissions(closed, fs::perms{0711});
    CHECK(storage::check_reachable(closed, *user));
    fs::permissions(closed, fs::perms{0010}); // by group alone
    CHECK_FALSE(storage::check_reachable(closed, *user));
    REQUIRE(::chown(closed.c_str(), 0, user->gid) == 0);
    CHECK(storage::check_reachable(closed, *user));
  }

  TEST_CASE("whose data it is counts: they are not read as somebody else") {
    if (::geteuid() != 0) {
      MESSAGE("only root can give files away");
      return;
    }
    const auto home = test::temp_directory{};
    fs::create_directories(home.path() / "pg" / "data");
    put(home.path() / "pg" / "data" / "PG_VERSION", "17\n");
    const auto why_not = refusal(test::quick_cluster(home.path() / "pg"));
    CHECK(why_not.code == errc::invalid_input);
    CHECK(why_not.what.contains("belongs to user root"));
  }

  TEST_CASE("who waits for a start may be told to give up, and nothing runs on") {
    const auto home = test::temp_directory{};
    auto options = test::quick_cluster(home.path() / "pg");
    options.give_up = [] { return true; };
    CHECK(refusal(options).code == errc::unavailable);
    CHECK(storage::processes_in(home.path() / "pg" / "data").empty());
  }

  TEST_CASE("a file in the way is refused") {
    const auto home = test::temp_directory{};
    put(home.path() / "pg", "");
    CHECK(refusal(test::quick_cluster(home.path() / "pg")).code == errc::invalid_input);
  }

  TEST_CASE("a server that does not start says why") {
    const auto home = test::temp_directory{};
    auto options = test::quick_cluster(home.path() / "pg");
    options.settings.emplace_back("nonsense = 1");
    const auto why_not = refusal(options);
    CHECK(why_not.code == errc::unavailable);
    CHECK(why_not.what.contains("nonsense"));
    CHECK(storage::processes_in(home.path() / "pg" / "data").empty());
  }

  TEST_CASE("an initdb that fails says why and leaves no cluster") {
    const auto home = test::temp_directory{};
    const auto bin = home.path() / "bin";
    fs::create_directory(bin);
    put(bin / "postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 17.0'\n");
    put(bin / "initdb", "#!/bin/sh\necho 'the disk is full'; exit 1\n");
    for (const auto* const name : {"postgres", "initdb"}) {
      fs::permissions(bin / name, fs::perms{0755});
    }
    auto options = test::quick_cluster(home.path() / "pg");
    options.bin_dir = bin;
    const auto why_not = refusal(options);
    CHECK(why_not.code == errc::unavailable);
    CHECK(why_not.what.contains("the disk is full"));
    CHECK_FALSE(fs::exists(home.path() / "pg" / "data"));
  }
}
