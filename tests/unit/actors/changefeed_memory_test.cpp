#include "actors/changefeed_memory.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <deque>
#include <functional>
#include <utility>

TEST_SUITE_BEGIN("actors.changefeed_memory");

namespace {

using namespace jessica;
using namespace jessica::actors;

/// CHANGEFEED without a log: it hands on what the test gives it.
struct feed_case {
  std::vector<std::string> told; ///< what INDEXER heard
  std::deque<std::shared_ptr<const storage::feed_piece>> pieces;
  std::uint64_t place = 0;
  std::size_t bound = 0;
  std::shared_ptr<storage::table_shape> shape =
      std::make_shared<storage::table_shape>();
  test::actor_world world;

  struct open_answers {
    std::deque<caf::typed_response_promise<done>> all;
  };
  indexer_actor indexer = world.own(
      world.sys().spawn([this](indexer_actor::stateful_pointer<open_answers> self)
                            -> indexer_actor::behavior_type {
        return {[this](const feed_begun&) { told.push_back("begun"); },
                [this](feed_lost) { told.push_back("lost"); },
                [this, self](const embeddings_logged& msg) {
                  told.push_back("rows to " + std::to_string(msg.position.value));
                  auto asker = self->make_response_promise<done>();
                  self->state.all.push_back(asker);
                  return asker;
                },
                [](log_read) {},
                [](models_changed) {},
                [](look_again) {},
                [self](fetch_more) { // the test: it has taken in one lot
                  auto asker = std::move(self->state.all.front());
                  self->state.all.pop_front();
                  asker.deliver(done{});
                },
                [](hurry_to) {},
                [](const bring_user&) { return done{}; }};
      }));
  changefeed_actor feed = start();

  changefeed_actor start() {
    shape->schema = "public";
    shape->name = "embeddings";
    shape->columns = {{"id", 0, true}};
    bound = 2 * size_of(*row());
    return world.own(world.sys().spawn(
        [this](changefeed_actor::stateful_pointer<changefeed_state> self)
            -> changefeed_actor::behavior_type {
          self->state.deps.indexer = indexer;
          self->state.deps.indexer_bytes = bound;
          return {[this, self](read_on) {
                    changefeed_memory::hand_embeddings(self, pieces.front(), {++place});
                    pieces.pop_front();
                  },
                  [](hurry_to) {},
                  [](subscribe_changes&) { return changes_subscribed{}; },
                  [](const unsubscribe_changes&) {}, [](await_feed) { return done{}; }};
        }));
  }
  [[nodiscard]] std::shared_ptr<const storage::feed_piece> row() const {
    const auto text = std::string{"1"};
    const auto fields = std::array{storage::field{storage::field_state::text, text}};
    auto made = std::make_shared<storage::feed_piece>();
    made->events.emplace_back(
        storage::row_change{storage::change_kind::insert, shape, fields});
    return made;
  }
  [[nodiscard]] static std::size_t size_of(const storage::feed_piece& what) {
    return std::get<storage::row_change>(what.events.at(0)).size_bytes();
  }
  void read_row() {
    pieces.push_back(row());
    world.tell(feed, read_on{});
  }
  void take_lot() { world.tell(indexer, fetch_more{}); }
};

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("rows go to the index as they come, as long as it keeps up") {
  auto run = feed_case{};
  for (auto i = 0; i < 5; ++i) {
    run.read_row();
    run.take_lot();
  }
  CHECK(run.told ==
        strings{"rows to 1", "rows to 2", "rows to 3", "rows to 4", "rows to 5"});
}

TEST_CASE(
    "an index that is too far behind loses the feed, and has it back in the end") {
  auto run = feed_case{};
  run.read_row();
  run.read_row(); // as many as may wait
  CHECK(run.told == strings{"rows to 1", "rows to 2"});
  run.read_row(); // nobody else waits for it
  run.read_row();
  CHECK(run.told == strings{"rows to 1", "rows to 2", "lost"});
  run.take_lot();
  run.read_row(); // all that it was told comes first: what follows is compared with
  CHECK(run.told.size() == 3);
  run.take_lot();
  run.read_row();
  CHECK(run.told.back() == "rows to 6");
  run.take_lot();
  run.read_row();
  CHECK(run.told.back() == "rows to 7");
  CHECK(run.told.size() == 5);
}
