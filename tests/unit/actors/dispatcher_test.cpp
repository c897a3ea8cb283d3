#include "actors/dispatcher.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <utility>

TEST_SUITE_BEGIN("actors.dispatcher");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

struct node {
  result<lease_held> beat_answer = lease_held{{1}};
  storage::claimed_jobs next_claim; ///< given to one claim
  std::vector<lease_id> beats;
  std::vector<storage::claim_wish> claims;
  held_jobs held_answer;
  std::vector<std::vector<job_id>> handed_back;
  std::vector<lease_id> left;
  std::vector<lease_id> announced; ///< for new jobs; 0 while none are taken
  std::vector<lease_id> fences;
  std::vector<failure> given_up;
  std::map<std::int64_t, inference_actor> started;
  std::map<std::int64_t, job> jobs;
  std::map<std::int64_t, std::shared_ptr<const lease_watch>> watches;
  std::vector<std::int64_t> ended;
  std::vector<std::int64_t> stopped; ///< by their users
  test::actor_world world;
  dispatcher_actor boss;

  explicit node(std::size_t slots, std::size_t per_user = 100) {
    boss = world.own(world.sys().spawn(
        dispatcher, dispatcher_deps{keeper(), writer(), reader(),
                                    [this](dispatcher_actor, const job& what,
                                           std::shared_ptr<const lease_watch> lease) {
                                      watches[what.id.value] = std::move(lease);
                                      return start_job(what);
                                    },
                                    slots, per_user, 1s, 10s}));
    world.settle();
  }

  keeper_actor keeper() {
    return world.own(
        world.sys().spawn([this](keeper_actor::pointer) -> keeper_actor::behavior_type {
          return {[this](const heartbeat& msg) {
                    beats.push_back(msg.lease);
                    return answer(beat_answer);
                  },
                  [this](const claim_jobs& msg) {
                    claims.push_back(msg.wish);
                    return std::exchange(next_claim, {});
                  },
                  [this](const list_held&) { return held_answer; },
                  [this](const hand_back_jobs& msg) {
                    handed_back.push_back(msg.ids);
                    return done{};
                  },
                  [this](const leave_cluster& msg) {
                    left.push_back(msg.lease);
                    return done{};
                  },
                  [](are_you_free) { return done{}; }};
        }));
  }

  persistence_actor writer() {
    return world.own(world.sys().spawn(
        [this](persistence_actor::pointer) -> persistence_actor::behavior_type {
          return {[](const enqueue&) { return receipt{}; },
                  [](const finish&) { return true; },
                  [](const save_progress&) { return job_hold::ours; },
                  [this](const give_up& msg) {
                    given_up.push_back(msg.what);
                    return job_status::queued;
                  },
                  [this](const use_lease& msg) {
                    announced.push_back(msg.accepting ? msg.lease : lease_id{});
                    fences.push_back(msg.lease);
                  }};
        }));
  }

  /// Every reply is that of job 1, and known to one user.
  reader_actor reader() {
    return world.own(
        world.sys().spawn([](reader_actor::pointer) -> reader_actor::behavior_type {
          return {[](const stop_reply& msg) -> caf::result<stop_receipt> {
                    if (!msg.who->signed_in())
                      return to_caf({errc::not_found, "no such reply", {}, nullptr});
                    return stop_receipt{{1}, "cancelling"};
                  },
                  [](const find_ended&) { return ended_logins{}; },
                  [](const fetch_prompt&) { return prompt{}; },
                  [](const store_broadcast&) { return done{}; },
                  [](const fetch_stored&) { return stored_page{}; },
                  [](const change_branch&) { return receipt{}; },
                  [](are_you_free) { return done{}; }};
        }));
  }

  inference_actor start_job(const job& what) {
    const auto id = what.id.value;
    auto made = world.own(world.sys().spawn(
        [this, id](inference_actor::pointer self) -> inference_actor::behavior_type {
          self->attach_functor([this, id](const caf::error&) { ended.push_back(id); });
          return {[](const generated&) {}, [](try_again) {},
                  [this, id](stop_job) { stopped.push_back(id); },
                  [](const tool_ended&) {}};
        }));
    started[id] = made;
    jobs[id] = what;
    return made;
  }

  static job numbered(std::int64_t id, user_id whose = {}) {
    auto what = job{};
    what.id = {id};
    what.user = whose;
    return what;
  }
  /// Born under the lease we hold.
  void born(std::int64_t id, user_id whose = {}) {
    world.tell(boss, run_job{numbered(id, whose), lease_id{1}});
  }
};

} // namespace

TEST_CASE("the node takes a lease at start and lets writers use it") {
  auto n = node{2};
  REQUIRE(n.beats.size() == 1);
  CHECK(n.beats[0] == lease_id{});
  CHECK(n.announced.back() == lease_id{1});
  n.world.advance(1s);
  CHECK(n.beats.back() == lease_id{1});
}

TEST_CASE("jobs beyond the slots wait for one to end") {
  auto n = node{2};
  for (const auto id : {1, 2, 3})
    n.born(id);
  CHECK(n.started.size() == 2);
  n.world.tell(n.boss, job_ended{job_id{1}});
  CHECK(n.started.size() == 3);
}

TEST_CASE("a user beyond a share waits while others run") {
  auto n = node{4, 2};
  const auto ada = user_id::make();
  const auto bob = user_id::make();
  for (const auto id : {1, 2, 3})
    n.born(id, ada);
  n.born(9, bob);
  CHECK(n.started.size() == 3);
  CHECK(!n.started.contains(3));
  CHECK(n.started.contains(9));
  n.world.advance(1s);
  CHECK(n.claims.back().want == 1);
  CHECK(n.claims.back().each == 2);
  CHECK(n.claims.back().skip == std::vector{ada});
  n.world.tell(n.boss, job_ended{job_id{2}});
  CHECK(n.started.contains(3));
}

TEST_CASE("a job that was born under another lease is not run") {
  auto n = node{2};
  n.world.tell(n.boss, run_job{node::numbered(1), lease_id{7}});
  CHECK(n.started.empty());
}

TEST_CASE("a node whose queue is full stops taking jobs with its lease") {
  auto n = node{1};
  n.born(1);
  n.born(2);
  CHECK(n.announced.back() == lease_id{});
  CHECK(n.fences.back() == lease_id{1}); // what runs is finished under it
  n.world.tell(n.boss, job_ended{job_id{1}});
  n.world.tell(n.boss, job_ended{job_id{2}});
  n.world.advance(1s);
  CHECK(n.announced.back() == lease_id{1});
}

TEST_CASE("it claims only what it has slots for, and runs what it claimed") {
  auto n = node{2};
  CHECK(n.claims[0].want == 2);
  n.next_claim = {{node::numbered(9)}, {}};
  n.world.advance(1s);
  CHECK(n.started.contains(9));
  n.world.advance(1s);
  CHECK(n.claims.back().want == 1);
}

TEST_CASE("while jobs wait in the database new ones go behind them") {
  auto n = node{1};
  n.next_claim = {{node::numbered(8)}, 0ms};
  n.world.tell(n.boss, jobs_ready{});
  CHECK(n.started.contains(8));
  CHECK(n.announced.back() == lease_id{});
  n.next_claim = {{node::numbered(9)}, 0ms};
  n.world.tell(n.boss, job_ended{job_id{8}}); // the next one at once, not at a beat
  CHECK(n.started.contains(9));
  n.world.tell(n.boss, job_ended{job_id{9}}); // finds no more
  CHECK(n.announced.back() == lease_id{1});
}

TEST_CASE("a message that jobs are ready is acted on at once") {
  auto n = node{2};
  n.next_claim = {{node::numbered(5)}, {}};
  n.world.tell(n.boss, jobs_ready{});
  CHECK(n.started.contains(5));
}

TEST_CASE("a retry that is due soon is claimed when it is due") {
  auto n = node{2};
  n.next_claim = {{}, 300ms};
  n.world.tell(n.boss, jobs_ready{});
  n.next_claim = {{node::numbered(5)}, {}};
  n.world.advance(200ms);
  CHECK(n.started.empty());
  n.world.advance(100ms);
  CHECK(n.started.contains(5));
}

TEST_CASE("an operator's call claims at most what it asks for, and says what runs") {
  auto n = node{10};
  n.born(1);
  n.next_claim = {{node::numbered(5), node::numbered(6)}, {}};
  const auto report = n.world.ask<queue_report>(n.boss, run_queued{2});
  REQUIRE(report);
  CHECK(n.claims.back().want == 2);
  CHECK(report->claimed == 2);
  CHECK(report->running == 3);
  CHECK(report->waiting == 0);
}

TEST_CASE("without a lease an operator's call is refused") {
  auto n = node{10};
  n.beat_answer = fail(errc::unavailable, "down");
  auto drained = test::ask_later<done>(n.world, n.boss, drain{5s});
  n.world.settle();
  const auto report = n.world.ask<queue_report>(n.boss, run_queued{});
  REQUIRE(!report);
  CHECK(report.error().code == errc::unavailable);
}

TEST_CASE("a lease that was taken away stops every job before new ones start") {
  auto n = node{2};
  n.born(1);
  const auto watch = n.watches.at(1);
  CHECK(watch->held(n.world.now()));
  n.beat_answer = lease_held{{2}};
  n.next_claim = {{node::numbered(7)}, {}};
  n.world.advance(1s);
  CHECK(n.ended == std::vector<std::int64_t>{1});
  CHECK(!watch->held(n.world.now()));
  CHECK(n.announced.back() == lease_id{2});
  CHECK(n.started.contains(7));
  CHECK(n.watches.at(7)->held(n.world.now()));
}

TEST_CASE(
    "a database away for longer than the lease puts it in doubt, and no job ends") {
  auto n = node{2};
  n.born(1);
  const auto watch = n.watches.at(1);
  n.beat_answer = fail(errc::unavailable, "down");
  n.world.advance(9s);
  CHECK(watch->held(n.world.now()));
  n.world.advance(2s);
  CHECK(!watch->held(n.world.now()));
  CHECK(n.ended.empty());
  n.beat_answer = lease_held{{1}}; // nobody took it meanwhile
  n.world.advance(1s);
  CHECK(watch->held(n.world.now()));
  CHECK(n.ended.empty());
}

TEST_CASE("a user's stop reaches the job, wherever it waits") {
  auto n = node{1};
  const auto ada = user_id::make();
  n.born(1, ada);
  n.born(2, ada);
  n.world.tell(n.boss, stop_jobs{{job_id{1}, job_id{2}, job_id{3}}});
  CHECK(n.stopped == std::vector<std::int64_t>{1});
  REQUIRE(n.started.contains(2)); // only to be stored: needs no slot
  CHECK(n.jobs.at(2).cancelled);
  n.born(3, ada); // its stop came first
  n.world.tell(n.boss, job_ended{job_id{1}});
  n.world.tell(n.boss, job_ended{job_id{2}});
  REQUIRE(n.started.contains(3));
  CHECK(n.jobs.at(3).cancelled);
}

TEST_CASE("a stop by reply is asked of the database and passed on at once") {
  auto n = node{1};
  n.born(1);
  auto who = std::make_shared<identity>();
  const auto refused = n.world.ask<stop_receipt>(n.boss, stop_reply{who, {}});
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::not_found);
  CHECK(n.stopped.empty());
  who->user = user_id::make();
  const auto got = n.world.ask<stop_receipt>(n.boss, stop_reply{who, {}});
  REQUIRE(got);
  CHECK(got->status == "cancelling");
  CHECK(n.stopped == std::vector<std::int64_t>{1});
}

TEST_CASE("jobs whose arrival was lost are handed back after two looks") {
  auto n = node{2};
  n.born(1);
  n.held_answer = {{job_id{1}, job_id{5}}};
  n.world.advance(3s);
  CHECK(n.handed_back.empty()); // it may still be on its way
  n.world.advance(3s);
  REQUIRE(n.handed_back.size() == 1);
  CHECK(n.handed_back[0] == std::vector{job_id{5}});
  n.born(5); // too late: another attempt is ready
  CHECK(!n.started.contains(5));
}

TEST_CASE("a job that was only slow to arrive is not handed back") {
  auto n = node{2};
  n.held_answer = {{job_id{5}}};
  n.world.advance(3s);
  n.born(5);
  n.world.advance(6s);
  CHECK(n.handed_back.empty());
  CHECK(n.started.contains(5));
}

TEST_CASE("a job whose actor crashed is given back for another attempt") {
  auto n = node{1};
  n.born(1);
  n.born(2);
  caf::anon_send_exit(n.started.at(1), caf::exit_reason::kill);
  n.world.settle();
  REQUIRE(n.given_up.size() == 1);
  CHECK(n.given_up[0].job == job_id{1});
  CHECK(n.given_up[0].retryable);
  CHECK(n.started.contains(2));
}

TEST_CASE("drain waits for running jobs, then gives the lease back") {
  auto n = node{2};
  n.born(1);
  auto drained = test::ask_later<done>(n.world, n.boss, drain{5s});
  n.world.settle();
  CHECK(!drained.arrived());
  CHECK(n.announced.back() == lease_id{});
  CHECK(n.fences.back() == lease_id{1});
  n.world.tell(n.boss, job_ended{job_id{1}});
  CHECK(drained.arrived());
  CHECK(n.left == std::vector<lease_id>{{1}});
}

TEST_CASE("drain hands back what does not end in time") {
  auto n = node{2};
  n.born(1);
  auto drained = test::ask_later<done>(n.world, n.boss, drain{5s});
  n.world.advance(5s);
  CHECK(drained.arrived());
  CHECK(n.ended == std::vector<std::int64_t>{1});
  CHECK(n.left == std::vector<lease_id>{{1}});
}

TEST_SUITE_END();
