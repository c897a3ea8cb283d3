#include "actors/persistence.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/dispatcher_stand_in.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <utility>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::result<jessica::actors::batch_result>)

TEST_SUITE_BEGIN("actors.persistence");

namespace {

using namespace jessica;
using namespace jessica::actors;

/// A COMMITTER that keeps its batches and answers when it is told to: a promise may
/// only be kept by the actor that gave it.
using manual_committer = committer_actor::extend<caf::reacts_to<result<batch_result>>>;

struct manual_state {
  std::deque<caf::typed_response_promise<batch_result>> open;
};

struct world_of_writes {
  std::vector<batch> batches;
  std::deque<std::pair<batch, manual_committer>> open; ///< oldest first
  test::dispatcher_stand_in dispatcher;
  test::actor_world world;

  committer_actor slow_committer() {
    auto made = world.own(
        world.sys().spawn([this](manual_committer::stateful_pointer<manual_state> self)
                              -> manual_committer::behavior_type {
          return {[this, self](const batch& what) {
                    batches.push_back(what);
                    open.emplace_back(what, manual_committer{self});
                    return self->state.open.emplace_back(
                        self->make_response_promise<batch_result>());
                  },
                  [self](const result<batch_result>& told) {
                    auto promise = self->state.open.front();
                    self->state.open.pop_front();
                    if (told)
                      promise.deliver(*told);
                    else
                      promise.deliver(to_caf(told.error()));
                  }};
        }));
    return caf::actor_cast<committer_actor>(made);
  }

  persistence_actor start(std::size_t committers, std::size_t rows, std::size_t limit) {
    auto deps = persistence_deps{{}, slow_committer(), rows, limit};
    for (auto i = std::size_t{0}; i < committers; ++i)
      deps.committers.push_back(slow_committer());
    return world.own(world.sys().spawn(persistence, deps));
  }

  /// Commits the oldest open batch: turn "bad" is refused, the rest stored.
  void commit() {
    auto stored = batch_result{};
    const auto what = open.front().first;
    for (const auto& sent : what.turns)
      stored.receipts.push_back(
          sent.content == "bad"
              ? result<receipt>{fail(errc::forbidden, "not yours")}
              : result<receipt>{receipt{.conversation = sent.conversation,
                                        .message = {},
                                        .reply = {},
                                        .job = {7},
                                        .repeated = sent.content == "again"}});
    stored.finished.assign(what.outcomes.size(), true);
    stored.leased = what.born_leased;
    stored.saved.assign(what.checkpoints.size(), job_hold::lost);
    stored.given_up.assign(what.failures.size(), job_status::dead);
    answer_oldest(stored);
  }

  void answer_oldest(result<batch_result> with) {
    auto committer = open.front().second;
    open.pop_front();
    world.tell(committer, std::move(with));
  }

  test::pending_answer<receipt> send(const persistence_actor& to, std::string content) {
    auto answer = test::ask_later<receipt>(world, to,
                                           enqueue{turn{.author = {},
                                                        .conversation = {},
                                                        .opens = false,
                                                        .content = std::move(content),
                                                        .client_id = {},
                                                        .params = "{}"}});
    world.settle();
    return answer;
  }
};

} // namespace

TEST_CASE("an idle writer commits a single send at once") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  auto answer = w.send(writer, "hello");
  REQUIRE(w.batches.size() == 1);
  CHECK(w.batches[0].turns.size() == 1);
  CHECK(!answer.arrived());
  w.commit();
  REQUIRE(answer.arrived());
  CHECK(answer.value()->job == job_id{7});
}

TEST_CASE("what arrives during a commit becomes the next batch, up to its row limit") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 3, 100);
  auto answers = std::vector<test::pending_answer<receipt>>{};
  for (const auto* text : {"1", "2", "3", "4", "5"})
    answers.push_back(w.send(writer, text));
  REQUIRE(w.batches.size() == 1);
  w.commit();
  REQUIRE(w.batches.size() == 2);
  CHECK(w.batches[1].turns.size() == 3);
  CHECK(w.batches[1].turns[0].content == "2");
  w.commit();
  REQUIRE(w.batches.size() == 3);
  CHECK(w.batches[2].turns.size() == 1);
  w.commit();
  for (const auto& answer : answers)
    CHECK((answer.arrived() && answer.value()));
}

TEST_CASE("whoever waits for a commit hears of it when it dies") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 1, 100);
  auto under_way = w.send(writer, "1");
  auto waiting = w.send(writer, "2");
  REQUIRE(w.batches.size() == 1);
  caf::anon_send_exit(writer, caf::exit_reason::unhandled_exception);
  w.world.settle();
  CHECK(under_way.value().error().code == errc::unavailable);
  CHECK(waiting.value().error().code == errc::unavailable);
}

TEST_CASE("two committers work side by side") {
  auto w = world_of_writes{};
  auto writer = w.start(2, 200, 100);
  w.send(writer, "1");
  w.send(writer, "2");
  CHECK(w.batches.size() == 2);
  w.commit();
  w.commit();
}

TEST_CASE("a refused row refuses only itself") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  w.send(writer, "first");
  auto good = w.send(writer, "good");
  auto bad = w.send(writer, "bad");
  w.commit();
  w.commit();
  CHECK((good.arrived() && good.value()));
  REQUIRE((bad.arrived() && !bad.value()));
  CHECK(bad.value().error().code == errc::forbidden);
}

TEST_CASE("a full queue refuses with overloaded and keeps what it took") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 2);
  auto first = w.send(writer, "in commit");
  auto second = w.send(writer, "waits");
  auto third = w.send(writer, "waits");
  auto fourth = w.send(writer, "too much");
  REQUIRE(fourth.arrived());
  CHECK(fourth.value().error().code == errc::overloaded);
  w.commit();
  w.commit();
  CHECK((first.arrived() && second.arrived() && third.arrived()));
}

TEST_CASE("a committed send is handed to the dispatcher that holds the lease, once") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  w.world.tell(writer, use_lease{lease_id{3}, true, w.dispatcher.in(w.world)});
  w.send(writer, "hello");
  CHECK(w.batches[0].lease == lease_id{3});
  w.commit();
  REQUIRE(w.dispatcher.started.size() == 1);
  CHECK(w.dispatcher.started[0].id == job_id{7});
  w.send(writer, "again"); // its client_id was seen before
  w.commit();
  CHECK(w.dispatcher.started.size() == 1);
}

TEST_CASE("a node that takes no more jobs still finishes those it has") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  w.world.tell(writer, use_lease{lease_id{3}, false, w.dispatcher.in(w.world)});
  auto finished =
      test::ask_later<bool>(w.world, writer, finish{{job_id{1}, 1, false, "text", {}}});
  w.world.settle();
  CHECK(w.batches[0].lease == lease_id{3});
  w.commit();
  w.send(writer, "hello");
  CHECK(!w.batches[1].born_leased);
  w.commit();
  CHECK(w.dispatcher.started.empty());
}

TEST_CASE("without a lease jobs are stored queued and nobody is told") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  w.world.tell(writer, use_lease{lease_id{}, true, w.dispatcher.in(w.world)});
  w.send(writer, "hello");
  CHECK(!w.batches[0].born_leased);
  w.commit();
  CHECK(w.dispatcher.started.empty());
}

TEST_CASE("a batch whose committer fails tells every asker, and the next one works") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  auto lost = w.send(writer, "1");
  auto next = w.send(writer, "2");
  w.answer_oldest(fail(errc::unavailable, "gone"));
  REQUIRE((lost.arrived() && !lost.value()));
  CHECK(lost.value().error().code == errc::unavailable);
  w.commit();
  CHECK((next.arrived() && next.value()));
}

TEST_CASE("jobs that were stored queued after all are not handed on") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  w.world.tell(writer, use_lease{lease_id{3}, true, w.dispatcher.in(w.world)});
  auto sent = w.send(writer, "hello");
  auto stored = batch_result{};
  stored.receipts.push_back(receipt{});
  w.answer_oldest(stored); // not leased: the policies' way queues them
  CHECK((sent.arrived() && sent.value()));
  CHECK(w.dispatcher.started.empty());
}

TEST_CASE("a checkpoint waits for no send, and no send for a checkpoint") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  auto ask = [&](std::int64_t id) {
    auto saved = test::ask_later<job_hold>(w.world, writer,
                                           save_progress{{job_id{id}, 1, "te"}});
    w.world.settle();
    return saved;
  };
  w.send(writer, "under way");
  auto first = ask(1);
  REQUIRE(w.batches.size() == 2);
  CHECK(w.batches[1].checkpoints.size() == 1);
  auto second = ask(2);
  auto third = ask(3);
  w.commit();
  w.commit();
  REQUIRE(w.batches.size() == 3);
  CHECK(w.batches[2].checkpoints.size() == 2);
  w.commit();
  CHECK((first.arrived() && second.arrived() && third.arrived()));
}

TEST_CASE("outcomes and failures ride in the same batch") {
  auto w = world_of_writes{};
  auto writer = w.start(1, 200, 100);
  w.send(writer, "keeps the committer busy");
  auto finished =
      test::ask_later<bool>(w.world, writer, finish{{job_id{1}, 1, false, "text", {}}});
  auto failed =
      test::ask_later<job_status>(w.world, writer, give_up{{job_id{3}, "boom", true}});
  w.world.settle();
  w.commit();
  REQUIRE(w.batches.size() == 2);
  CHECK(w.batches[1].outcomes.size() == 1);
  CHECK(w.batches[1].failures.size() == 1);
  w.commit();
  CHECK(finished.value().value());
  CHECK(failed.value().value() == job_status::dead);
}

TEST_SUITE_END();
