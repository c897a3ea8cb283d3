#include "bench/load/change_book.hpp"
#include "bench/load/change_crew.hpp"
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
            std::span<const person> users, const settings& how);

  [[nodiscard]] result<void> join();
  /// One stretch of writing, until all of it is delivered or will never be.
  [[nodiscard]] result<stretch> follow(pace how);

  /// Of all stretches so far.
  void add_faults(round& to) const;

private:
  struct arrival {
    std::uint64_t row;
    clock::time_point at;
  };

  void heard(std::size_t client, const message& what) override;
  [[nodiscard]] result<void> serve(std::chrono::seconds length);
  [[nodiscard]] stretch measure(clock::time_point begun,
                                std::chrono::microseconds cpu) const;

  const running_server& server_;
  std::span<const person> users_;
  std::size_t count_;
  std::size_t commits_; ///< under way at once
  channel_fleet clients_;
  change_book book_;
  change_crew crew_;
  std::vector<arrival> arrivals_; ///< of this stretch
  std::size_t events_of_a_commit_ = 0;
};

[[nodiscard]] std::vector<std::string> ids_of(std::span<const person> users) {
  auto ids = std::vector<std::string>{};
  for (const auto& one : users)
    ids.push_back(one.id);
  return ids;
}

followers::followers(const running_server& server, storage::endpoint database,
                     std::span<const person> users, const settings& how)
    : server_(server),
      users_(users),
      count_(how.followers),
      commits_(how.commits),
      clients_(*this),
      book_(how.followers, users.size(), how.writers),
      crew_(std::move(database), ids_of(users), how.writers) {}

result<void> followers::join() {
  auto seats = std::vector<seat>{};
  for (auto i = std::size_t{0}; i < count_; ++i)
    seats.push_back({std::string{topic}, users_[i % users_.size()].token});
  return clients_.open(server_.realtime(), seats, limit).and_then([&] {
    return clients_.join(following, limit);
  });
}

void followers::heard(std::size_t client, const message& what) {
  if (what.event != "postgres_changes")
    return;
  const auto row = number_field(what.payload, "n");
  if (!row || !book_.take(client, *row))
    return;
  arrivals_.push_back({*row, clock::now()});
  if (arrivals_.size() % events_of_a_commit_ == 0)
    crew_.delivered();
}

result<stretch> followers::follow(pace how) {
  arrivals_.clear();
  events_of_a_commit_ = how.rows * count_ / users_.size();
  const auto cpu = server_.child.cpu_time();
  const auto begun = clock::now();
  crew_.begin(how, commits_);
  auto served = serve(how.length);
  auto written = crew_.end();
  if (auto both = written.and_then([&] { return served; }); !both)
    return std::unexpected{std::move(both.error())};
  const auto used = server_.child.cpu_time() - cpu;
  for (auto i = std::size_t{0}; i < crew_.writers().size(); ++i)
    book_.close(i, crew_.writers()[i].rows());
  return measure(begun, used);
}

result<void> followers::serve(std::chrono::seconds length) {
  auto last = clock::now();
  auto got = std::size_t{0};
  const auto done = [&] {
    if (got != arrivals_.size() || !crew_.over())
      last = clock::now();
    got = arrivals_.size();
    const auto wanted = crew_.rows() * count_ / users_.size();
    return crew_.over() && (got >= wanted || clock::now() - last > silence);
  };
  return clients_.run(done, length + limit);
}

stretch followers::measure(clock::time_point begun,
                           std::chrono::microseconds cpu) const {
  auto what = stretch{};
  if (arrivals_.empty())
    return what;
  for (const auto& one : arrivals_)
    if (const auto* const commit = crew_.commit_of(one.row)) {
      // An event may come before its writer hears of the commit: that counts as none.
      what.after_commit.record(one.at - commit->acknowledged);
      what.after_sent.record(one.at - commit->sent);
    }
  auto commits = std::size_t{0};
  for (const auto& one : crew_.writers()) {
    commits += one.commits().size();
    for (const auto& commit : one.commits())
      what.late.record(commit.sent - commit.due);
  }
  const auto events = static_cast<double>(arrivals_.size());
  const auto took = std::chrono::duration<double>{arrivals_.back().at - begun}.count();
  what.delivered = events / took;
  what.commits = static_cast<double>(commits) / took;
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
  const auto full = all.follow({.rows = how.rows, .rate = 0, .length = length});
  if (!full)
    return std::unexpected{full.error()};
  const auto half =
      all.follow({.rows = how.rows, .rate = full->commits / 2, .length = length});
  if (!half)
    return std::unexpected{half.error()};
  const auto idle = all.follow({.rows = 1, .rate = idle_rate, .length = length});
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
          {"connections that write", std::to_string(how.writers)},
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
  const auto on = start_scratch_server(how, {});
  if (!on)
    return std::unexpected{on.error()};
  const auto database = database_in(on->home.path());
  if (auto made = make_followed_table(database); !made)
    return std::unexpected{std::move(made.error())};
  const auto users = sign_up(on->server, how.users);
  if (!users)
    return std::unexpected{users.error()};
  auto all = followers{on->server, database, *users, how};
  if (auto joined = all.join(); !joined)
    return std::unexpected{std::move(joined.error())};
  const auto warm =
      all.follow({.rows = how.rows, .rate = 0, .length = std::chrono::seconds{1}});
  if (!warm)
    return std::unexpected{warm.error()};
  auto found = findings{"changes", circumstances(how), {}};
  return hold_rounds(std::move(found), how.rounds,
                     [&](std::size_t) { return measure_changes(all, how); });
}

} // namespace jessica::bench
