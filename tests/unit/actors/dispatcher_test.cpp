#include "actors/dispatcher.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <map>

TEST_SUITE_BEGIN("actors.dispatcher");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

struct node {
  result<heartbeat_result> beat_answer = heartbeat_result{lease_id{1}, {}};
  std::vector<heartbeat> beats;
  std::vector<lease_id> left;
  std::vector<lease_id> announced; ///< for new jobs; 0 while none are taken
  std::vector<lease_id> fences;
  std::vector<failure> given_up;
  std::map<std::int64_t, caf::actor> started;
  std::vector<std::int64_t> stopped;
  test::actor_world world;
  dispatcher_actor boss;

  explicit node(std::size_t slots) {
    auto keeper = world.own(
        world.sys().spawn([this](keeper_actor::pointer) -> keeper_actor::behavior_type {
          return {[this](const heartbeat& msg) {
                    beats.push_back(msg);
                    return answer(beat_answer);
                  },
                  [this](const leave_cluster& msg) {
                    left.push_back(msg.lease);
                    return done{};
                  },
                  [](are_you_free) { return done{}; }};
        }));
    auto writer = world.own(world.sys().spawn(
        [this](persistence_actor::pointer) -> persistence_actor::behavior_type {
          return {[](const enqueue&) { return receipt{}; },
                  [](const finish&) { return true; },
                  [](const save_progress&) { return true; },
                  [this](const give_up& msg) {
                    given_up.push_back(msg.what);
                    return job_status::queued;
                  },
                  [this](const use_lease& msg) {
                    announced.push_back(msg.accepting ? msg.lease : lease_id{});
                    fences.push_back(msg.lease);
                  }};
        }));
    boss = world.own(world.sys().spawn(
        dispatcher, dispatcher_deps{keeper, writer,
                                    [this](dispatcher_actor, const job& what) {
                                      return start_job(what);
                                    },
                                    slots, 1s, 10s}));
    world.settle();
  }

  caf::actor start_job(const job& what) {
    const auto id = what.id.value;
    auto made = world.own(world.sys().spawn([this, id](caf::event_based_actor* self) {
      self->attach_functor([this, id](const caf::error&) { stopped.push_back(id); });
      return caf::behavior{[](done) {}};
    }));
    started[id] = made;
    return made;
  }

  static job numbered(std::int64_t id) {
    auto what = job{};
    what.id = {id};
    return what;
  }
};

} // namespace

TEST_CASE("the node takes a lease at start and lets writers use it") {
  auto n = node{2};
  REQUIRE(n.beats.size() == 1);
  CHECK(n.beats[0].lease == lease_id{});
  CHECK(n.announced.back() == lease_id{1});
  n.world.advance(1s);
  CHECK(n.beats.back().lease == lease_id{1});
}

TEST_CASE("jobs beyond the slots wait for one to end") {
  auto n = node{2};
  for (const auto id : {1, 2, 3})
    n.world.tell(n.boss, run_job{node::numbered(id)});
  CHECK(n.started.size() == 2);
  n.world.tell(n.boss, job_ended{job_id{1}});
  CHECK(n.started.size() == 3);
}

TEST_CASE("a node whose queue is full stops taking jobs with its lease") {
  auto n = node{1};
  n.world.tell(n.boss, run_job{node::numbered(1)});
  n.world.tell(n.boss, run_job{node::numbered(2)});
  CHECK(n.announced.back() == lease_id{});
  CHECK(n.fences.back() == lease_id{1}); // what runs is finished under it
  n.world.tell(n.boss, job_ended{job_id{1}});
  n.world.advance(1s);
  CHECK(n.announced.back() == lease_id{1});
}

TEST_CASE("it claims only what it has slots for, and runs what it claimed") {
  auto n = node{2};
  CHECK(n.beats[0].want == 2);
  n.beat_answer = heartbeat_result{lease_id{1}, {node::numbered(9)}};
  n.world.advance(1s);
  CHECK(n.started.contains(9));
  n.beat_answer = heartbeat_result{lease_id{1}, {}};
  n.world.advance(1s);
  CHECK(n.beats.back().want == 1);
}

TEST_CASE("a lease that was taken away stops every job before new ones start") {
  auto n = node{2};
  n.world.tell(n.boss, run_job{node::numbered(1)});
  n.beat_answer = heartbeat_result{lease_id{2}, {node::numbered(7)}};
  n.world.advance(1s);
  CHECK(n.stopped == std::vector<std::int64_t>{1});
  CHECK(n.announced.back() == lease_id{2});
  CHECK(n.started.contains(7));
}

TEST_CASE("a database away for longer than the lease stops every job") {
  auto n = node{2};
  n.world.tell(n.boss, run_job{node::numbered(1)});
  n.beat_answer = fail(errc::unavailable, "down");
  n.world.advance(5s);
  CHECK(n.stopped.empty());
  n.world.advance(7s);
  CHECK(n.stopped == std::vector<std::int64_t>{1});
  CHECK(n.announced.back() == lease_id{});
  n.beat_answer = heartbeat_result{lease_id{2}, {}};
  n.world.advance(1s);
  CHECK(n.announced.back() == lease_id{2});
}

TEST_CASE("a job whose actor crashed is given back for another attempt") {
  auto n = node{1};
  n.world.tell(n.boss, run_job{node::numbered(1)});
  n.world.tell(n.boss, run_job{node::numbered(2)});
  caf::anon_send_exit(n.started.at(1), caf::exit_reason::kill);
  n.world.settle();
  REQUIRE(n.given_up.size() == 1);
  CHECK(n.given_up[0].job == job_id{1});
  CHECK(n.given_up[0].retryable);
  CHECK(n.started.contains(2));
}

TEST_CASE("drain waits for running jobs, then gives the lease back") {
  auto n = node{2};
  n.world.tell(n.boss, run_job{node::numbered(1)});
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
  n.world.tell(n.boss, run_job{node::numbered(1)});
  auto drained = test::ask_later<done>(n.world, n.boss, drain{5s});
  n.world.advance(5s);
  CHECK(drained.arrived());
  CHECK(n.stopped == std::vector<std::int64_t>{1});
  CHECK(n.left == std::vector<lease_id>{{1}});
}

TEST_SUITE_END();
