#include "bench/load/change_book.hpp"
#include "bench/load/change_writer.hpp"
#include "bench/load/json_field.hpp"
#include "bench/load/people.hpp"
#include "bench/load/scenarios.hpp"

#include <algorithm>
#include <format>
#include <thread>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

/// Of all clients: an application runs the same code everywhere.
constexpr auto topic = std::string_view{"realtime:bench:changes"};
constexpr auto limit = std::chrono::seconds{60};
/// Nothing comes for so long after the last commit: the rest is lost.
constexpr auto silence = std::chrono::seconds{5};
constexpr auto following = join_options{
    .is_private = false,
    .self = false,
    .ack = false,
    .changes = R"({"event":"*","schema":"public","table":"bench_changes"})"};

/// What one stretch of writing came to.
struct stretch {
  double delivered = 0; ///< a second
  double commits = 0;   ///< a second
  double cpu_each = 0;  ///< microseconds of the server for a delivered event
  histogram after_commit;
  histogram after_sent;
  histogram late; ///< statements, after they were due
};

class followers final : channel_fleet::listener {
public:
  followers(const running_server& server, storage::endpoint database,
            std::span<const person> users, std::size_t count)
      : server_(server),
        database_(std::move(database)),
        users_(users),
        count_(count),
        clients_(*this),
        book_(count, users.size()) {}

  [[nodiscard]] result<void> join();
  [[nodiscard]] result<stretch> follow(pace how);

  /// Of all stretches so far.
  void add_faults(round& to) const;

private:
  struct arrival {
    std::uint64_t row;
    clock::time_point at;
  };

  void heard(std::size_t client, const message& what) override;
  [[nodiscard]] result<void> serve(change_writer& writer);
  [[nodiscard]] stretch measure(const change_writer& writer, std::uint64_t first,
                                std::size_t rows, std::chrono::microseconds cpu) const;

  const running_server& server_;
  storage::endpoint database_;
  std::span<const person> users_;
  std::size_t count_;
  channel_fleet clients_;
  change_book book_;
  std::uint64_t rows_ = 0; ///< written by earlier stretches
  std::vector<arrival> arrivals_;
  std::size_t events_of_a_commit_ = 0;
  change_writer* writer_ = nullptr; ///< during a stretch
};

result<void> followers::join() {
  auto seats = std::vector<seat>{};
  for (auto i = std::size_t{0}; i < count_; ++i)
    seats.push_back({std::string{topic}, users_[i % users_.size()].token});
  return clients_.open(server_.realtime(), seats, limit).and_then([&] {
    return clients_.join(following, limit);
  });
}

void followers::heard(std::size_t client, const message& what) {
  if (what.event != "postgres_changes" || writer_ == nullptr)
    return;
  const auto row = number_field(what.payload, "n");
  if (!row || !book_.take(client, *row))
    return;
  arrivals_.push_back({*row, clock::now()});
  if (arrivals_.size() % events_of_a_commit_ == 0)
    writer_->delivered();
}

result<stretch> followers::follow(pace how) {
  auto ids = std::vector<std::string>{};
  for (const auto& one : users_)
    ids.push_back(one.id);
  auto writer = change_writer{database_, ids, rows_, how};
  writer_ = &writer;
  arrivals_.clear();
  events_of_a_commit_ = std::max(how.rows * count_ / users_.size(), std::size_t{1});
  const auto cpu = server_.child.cpu_time();
  auto served = serve(writer);
  writer_ = nullptr;
  if (!served)
    return std::unexpected{std::move(served.error())};
  const auto used = server_.child.cpu_time() - cpu;
  const auto first = std::exchange(rows_, writer.rows());
  book_.close(rows_);
  return measure(writer, first, how.rows, used);
}

/// The writer's thread ends here, whatever happens.
result<void> followers::serve(change_writer& writer) {
  auto written = result<void>{};
  auto over = std::atomic<bool>{false};
  auto ran = result<void>{};
  const auto first = rows_;
  {
    const auto thread = std::jthread{[&] {
      written = writer.run();
      over = true;
    }};
    auto last = clock::now();
    auto got = std::size_t{0};
    const auto done = [&] {
      if (got != arrivals_.size() || !over)
        last = clock::now();
      got = arrivals_.size();
      const auto wanted = (writer.rows() - first) * count_ / users_.size();
      return over && (got >= wanted || clock::now() - last > silence);
    };
    ran = clients_.run(done, limit);
  }
  return written.and_then([&] { return ran; });
}

stretch followers::measure(const change_writer& writer, std::uint64_t first,
                           std::size_t rows, std::chrono::microseconds cpu) const {
  auto what = stretch{};
  const auto& commits = writer.commits();
  if (commits.empty() || arrivals_.empty())
    return what;
  for (const auto& one : arrivals_) {
    const auto& commit = commits[(one.row - first) / rows];
    // An event may come before the writer hears of its commit: that counts as none.
    what.after_commit.record(one.at - commit.acknowledged);
    what.after_sent.record(one.at - commit.sent);
  }
  for (const auto& one : commits)
    what.late.record(one.sent - one.due);
  const auto events = static_cast<double>(arrivals_.size());
  const auto took =
      std::chrono::duration<double>{arrivals_.back().at - commits.front().sent}.count();
  what.delivered = events / took;
  what.commits = static_cast<double>(commits.size()) / took;
  what.cpu_each = static_cast<double>(cpu.count()) / events;
  return what;
}

void followers::add_faults(round& to) const {
  const auto faults = {std::pair{"events missing", book_.missing()},
                       std::pair{"events repeated or late", book_.repeated()},
                       std::pair{"rows of others", book_.leaked()}};
  for (const auto& [name, count] : faults)
    to.push_back({name, "", static_cast<double>(count), true});
}

void add_stretch(round& to, const std::string& name, const stretch& what) {
  to.push_back({name + ": events delivered", "1/s", what.delivered});
  to.push_back({name + ": commits", "1/s", what.commits});
  to.push_back({name + ": server processor time for an event", "us", what.cpu_each});
  add_percentiles(to, name + ": commit to client", what.after_commit, {50, 95, 99});
  add_percentiles(to, name + ": insert sent to client", what.after_sent, {50, 95, 99});
}

[[nodiscard]] result<round> measure_changes(followers& all, const settings& how) {
  constexpr auto idle_rate = 50.0;
  const auto length = std::chrono::seconds{how.seconds};
  const auto full = all.follow(
      {.rows = how.rows, .rate = 0, .commits = how.commits, .length = length});
  if (!full)
    return std::unexpected{full.error()};
  const auto half = all.follow(
      {.rows = how.rows, .rate = full->commits / 2, .commits = 1, .length = length});
  if (!half)
    return std::unexpected{half.error()};
  const auto idle =
      all.follow({.rows = 1, .rate = idle_rate, .commits = 1, .length = length});
  if (!idle)
    return std::unexpected{idle.error()};
  auto values = round{};
  add_stretch(values, "full", *full);
  add_stretch(values, "half", *half);
  add_percentiles(values, "half: inserts later than due", half->late, {99});
  add_stretch(values, "idle", *idle);
  all.add_faults(values);
  return values;
}

[[nodiscard]] std::vector<std::pair<std::string, std::string>>
circumstances(const settings& how) {
  return {{"followers of the table", std::to_string(how.followers)},
          {"users, whose rows alone their followers see", std::to_string(how.users)},
          {"a row goes to", std::format("{} clients", how.followers / how.users)},
          {"rows of a commit, full and half", std::to_string(how.rows)},
          {"commits under way, full", std::to_string(how.commits)},
          {"half", "commits at half the rate of full, whatever comes back"},
          {"idle", "50 commits of one row a second"},
          {"seconds of each", std::to_string(how.seconds)}};
}

} // namespace

result<findings> run_changes(const settings& how) {
  if (how.followers % how.users != 0)
    return fail(errc::invalid_input,
                "--users must divide --followers: every row then makes as many events");
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  const auto server = start_jessica(how, home->path(), {});
  if (!server)
    return std::unexpected{server.error()};
  const auto database = database_in(home->path());
  if (auto made = make_followed_table(database); !made)
    return std::unexpected{std::move(made.error())};
  const auto users = sign_up(*server, how.users);
  if (!users)
    return std::unexpected{users.error()};
  auto all = followers{*server, database, *users, how.followers};
  if (auto joined = all.join(); !joined)
    return std::unexpected{std::move(joined.error())};
  const auto warm = all.follow({.rows = how.rows,
                                .rate = 0,
                                .commits = how.commits,
                                .length = std::chrono::seconds{1}});
  if (!warm)
    return std::unexpected{warm.error()};
  auto found = findings{"changes", circumstances(how), {}};
  for (auto i = std::size_t{0}; i < how.rounds; ++i) {
    auto one = measure_changes(all, how);
    if (!one)
      return std::unexpected{std::move(one.error())};
    found.rounds.push_back(std::move(*one));
  }
  return found;
}

} // namespace jessica::bench
