#include "bench/load/http_fleet.hpp"
#include "bench/load/people.hpp"
#include "bench/load/queue_cost.hpp"
#include "bench/load/rest_floor.hpp"
#include "bench/load/scenarios.hpp"
#include "bench/load/servers.hpp"
#include "domain/ids.hpp"
#include "ops/log.hpp"

#include <chrono>
#include <format>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

constexpr auto people_count = std::size_t{10};
constexpr auto rows_each = std::size_t{500};

/// Who asks, with rows of their own.
struct owner {
  person who;
  std::vector<std::string> rows;
};

[[nodiscard]] pid_t postmaster_in(const std::filesystem::path& home) {
  auto file = std::ifstream{home / "postgres" / "data" / "postmaster.pid"};
  auto id = pid_t{0};
  file >> id;
  return id;
}

[[nodiscard]] result<std::vector<owner>> make_owners(const running_server& server,
                                                     storage::connection& admin) {
  const auto people = sign_up(server, people_count);
  if (!people)
    return std::unexpected{people.error()};
  auto owners = std::vector<owner>{};
  auto ids = std::vector<storage::parameter>{};
  auto users = std::vector<storage::parameter>{};
  for (const auto& one : *people) {
    auto& made = owners.emplace_back(owner{one, {}});
    for (auto i = std::size_t{0}; i < rows_each; ++i) {
      made.rows.push_back(conversation_id::make().str());
      ids.emplace_back(made.rows.back());
      users.emplace_back(one.id);
    }
  }
  const auto stored =
      admin.run({"insert into public.conversations (id, user_id, title) "
                 "select i, u, 'A title of ordinary length' "
                 "from unnest($1::uuid[], $2::uuid[]) r (i, u)",
                 {storage::array_literal(ids), storage::array_literal(users)}});
  if (!stored)
    return std::unexpected{stored.error()};
  if (auto known = admin.run({"analyze public.conversations", {}}); !known)
    return std::unexpected{known.error()};
  return owners;
}

/// What the client library sends with each request.
[[nodiscard]] std::string headers_of(const running_server& server, const owner& whose) {
  return std::format("Host: 127.0.0.1:{}\r\napikey: {}\r\nAuthorization: Bearer {}\r\n"
                     "X-Client-Info: supabase-js-node/2.58.0\r\nAccept: */*\r\n",
                     server.port, server.api_key, whose.who.token);
}

class reading final : public http_fleet::talk {
public:
  reading(const running_server& server, const std::vector<owner>& owners)
      : owners_(owners) {
    for (const auto& one : owners)
      headers_.push_back(headers_of(server, one) + "Accept-Profile: public\r\n\r\n");
  }
  std::string next(std::size_t client) override {
    const auto whose = client % owners_.size();
    const auto& rows = owners_[whose].rows;
    return std::format("GET /rest/v1/conversations?select=id%2Ctitle&id=eq.{} "
                       "HTTP/1.1\r\n{}",
                       rows[++asked_ % rows.size()], headers_[whose]);
  }
  void answered(std::size_t, int status, std::string_view body,
                http_fleet::clock::duration after) override {
    waited.record(after);
    wrong += status == 200 && body.contains("ordinary") ? 0 : 1;
  }

  histogram waited;
  std::uint64_t wrong = 0;

private:
  const std::vector<owner>& owners_;
  std::vector<std::string> headers_;
  std::size_t asked_ = 0;
};

constexpr auto new_row = std::string_view{R"({"title":"A title of ordinary length"})"};

class inserting final : public http_fleet::talk {
public:
  inserting(const running_server& server, const std::vector<owner>& owners) {
    for (const auto& one : owners)
      requests_.push_back(std::format(
          "POST /rest/v1/conversations HTTP/1.1\r\n{}Content-Profile: public\r\n"
          "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
          headers_of(server, one), new_row.size(), new_row));
  }
  std::string next(std::size_t client) override {
    return requests_[client % requests_.size()];
  }
  void answered(std::size_t, int status, std::string_view,
                http_fleet::clock::duration after) override {
    waited.record(after);
    wrong += status == 201 ? 0 : 1;
  }

  histogram waited;
  std::uint64_t wrong = 0;

private:
  std::vector<std::string> requests_;
};

struct bench_world {
  const running_server& server;
  const settings& how;
  storage::endpoint database;
  storage::connection& admin;
  pid_t postmaster;
  std::vector<owner> owners;
};

struct rest_score {
  double rate = 0;
  double total = 0; ///< processor time of server and database for one, in us
  double count = 0;
};

/// Backends of the part before must be gone: a process that ends while it is looked for
/// is counted nowhere.
void settle() {
  constexpr auto long_enough = std::chrono::milliseconds{500};
  std::this_thread::sleep_for(long_enough);
}

/// Reads or inserts through the server.
template <class Talk>
[[nodiscard]] result<rest_score> run_rest(const bench_world& in, round& to,
                                          const std::string& name) {
  auto talk = Talk{in.server, in.owners};
  auto fleet = http_fleet{talk};
  if (auto opened = fleet.open(in.server.port, in.how.sockets); !opened)
    return std::unexpected{opened.error()};
  settle();
  const auto begun = std::chrono::steady_clock::now();
  const auto server = in.server.child.cpu_time();
  const auto postgres = postgres_cpu(in.postmaster);
  const auto own = cost_meter{in.postmaster};
  if (auto ran = fleet.run(std::chrono::seconds{in.how.seconds}); !ran)
    return std::unexpected{ran.error()};
  const auto took =
      std::chrono::duration<double>{std::chrono::steady_clock::now() - begun}.count();
  const auto of_postgres = postgres_cpu(in.postmaster) - postgres;
  const auto count = static_cast<double>(talk.waited.count());
  const auto each = [&](std::chrono::microseconds time) {
    return static_cast<double>(time.count()) / count;
  };
  const auto of_server = each(in.server.child.cpu_time() - server);
  to.push_back({name, "1/s", count / took});
  add_percentiles(to, name, talk.waited, {50, 95, 99});
  to.push_back({name + ", server's processor time", "us", of_server});
  to.push_back({name + ", PostgreSQL's", "us", each(of_postgres)});
  to.push_back({name + ", load generator's", "us", each(own.took() - of_postgres)});
  to.push_back({name + ", wrong answers", "", static_cast<double>(talk.wrong), true});
  return rest_score{count / took, of_server + each(of_postgres), count};
}

[[nodiscard]] result<rest_score> run_bare(const bench_world& in, round& to,
                                          const std::string& name, bool writes) {
  const auto next = [&](std::size_t lane, std::uint64_t n) {
    const auto& whose = in.owners[(lane + n) % in.owners.size()];
    auto work = floor_work{};
    work.who.role = db_role::authenticated;
    work.who.claims =
        std::format(R"({{"sub":"{}","role":"authenticated"}})", whose.who.id);
    if (writes)
      work.what = {"insert into public.conversations (title) values ($1)",
                   {"A title of ordinary length"}};
    else
      work.what = {"select id, title from public.conversations where id = $1",
                   {whose.rows[n % whose.rows.size()]}};
    return work;
  };
  settle();
  const auto score = run_floor(in.database, in.postmaster, in.how.lanes,
                               std::chrono::seconds{in.how.seconds}, writes, next);
  if (!score)
    return std::unexpected{score.error()};
  const auto count = static_cast<double>(score->done);
  const auto rate = count / std::chrono::duration<double>{score->took}.count();
  const auto postgres = static_cast<double>(score->postgres.count()) / count;
  const auto client = static_cast<double>(score->client.count()) / count;
  to.push_back({name, "1/s", rate});
  add_percentiles(to, name, score->waited, {50, 95, 99});
  to.push_back({name + ", PostgreSQL's processor time", "us", postgres});
  to.push_back({name + ", client's", "us", client});
  return rest_score{rate, postgres + client, count};
}

[[nodiscard]] result<std::int64_t> stored_rows(storage::connection& admin) {
  return admin.run({"select count(*) from public.conversations", {}})
      .transform([](const storage::rows& got) { return got.integer(0, 0); });
}

void compare(round& to, const std::string& name, const rest_score& rest,
             const rest_score& bare) {
  to.push_back({name + ", rate / bare statement's", "", rest.rate / bare.rate});
  to.push_back({name + ", processor time beyond the bare statement's", "us",
                rest.total - bare.total});
}

[[nodiscard]] result<round> run_round(const bench_world& in) {
  auto values = round{};
  const auto read = run_rest<reading>(in, values, "read by key");
  if (!read)
    return std::unexpected{read.error()};
  const auto bare_read = run_bare(in, values, "bare select", false);
  if (!bare_read)
    return std::unexpected{bare_read.error()};
  compare(values, "read by key", *read, *bare_read);
  const auto before = stored_rows(in.admin);
  if (!before)
    return std::unexpected{before.error()};
  const auto written = run_rest<inserting>(in, values, "insert");
  if (!written)
    return std::unexpected{written.error()};
  const auto after = stored_rows(in.admin);
  if (!after)
    return std::unexpected{after.error()};
  values.push_back({"insert, rows missing", "",
                    static_cast<double>(*after - *before) - written->count, true});
  const auto bare_write = run_bare(in, values, "bare insert", true);
  if (!bare_write)
    return std::unexpected{bare_write.error()};
  compare(values, "insert", *written, *bare_write);
  return values;
}

} // namespace

result<findings> run_rest(const settings& how) {
  ops::open_log("warn");
  const auto on = start_scratch_server(how, {});
  if (!on)
    return std::unexpected{on.error()};
  auto admin =
      storage::connection{database_in(on->home.path()), storage::role::migrations};
  auto owners = make_owners(on->server, admin);
  if (!owners)
    return std::unexpected{owners.error()};
  const auto world = bench_world{on->server,
                                 how,
                                 database_in(on->home.path()),
                                 admin,
                                 postmaster_in(on->home.path()),
                                 std::move(*owners)};
  auto short_run = how;
  short_run.seconds = 1;
  const auto warm = bench_world{on->server, short_run,        world.database,
                                admin,      world.postmaster, world.owners};
  if (auto once = run_round(warm); !once)
    return std::unexpected{once.error()};
  auto found =
      findings{"rest",
               {{"connections", std::to_string(how.sockets)},
                {"connections of the bare statement", std::to_string(how.lanes)},
                {"seconds of each part", std::to_string(how.seconds)}},
               {}};
  return hold_rounds(std::move(found), how.rounds,
                     [&](std::size_t) { return run_round(world); });
}

} // namespace jessica::bench
