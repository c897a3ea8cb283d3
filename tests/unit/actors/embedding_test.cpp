#include "actors/embedding.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/letter_embedder.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace jessica::actors {
namespace {

using namespace std::chrono_literals;
using storage::old_texts;

/// What a database would do, written down.
struct desk_book {
  std::optional<error> down;  ///< what every call fails with
  std::optional<error> full;  ///< what storing fails with
  std::optional<error> other; ///< what claiming fails with
  int models_used = 0;
  std::deque<std::string> waiting; ///< texts, in order
  std::vector<std::string> old;    ///< texts that the first pass finds
  std::size_t batch = 3;
  int claims = 0;
  std::int64_t next_seq = 1;
  std::vector<std::int64_t> stored;
  std::vector<std::int64_t> stale;   ///< seqs that are not stored
  std::vector<std::int64_t> spoiled; ///< seqs that the database refuses
  std::vector<std::string> failed;   ///< causes
  std::vector<std::int64_t> released;
  std::chrono::milliseconds pause{0};
  int leftovers = 0; ///< pages of old embeddings
  int looked_at_old = 0;
};

class booked_desk final : public text_desk {
public:
  explicit booked_desk(desk_book& book) : book_{book} {}

  result<storage::model_number> use_model(std::string_view, std::size_t) override {
    if (book_.down)
      return std::unexpected{*book_.down};
    ++book_.models_used;
    return storage::model_number{7};
  }
  result<std::vector<storage::text_work>> claim(storage::model_number) override {
    ++book_.claims;
    if (book_.down)
      return std::unexpected{*book_.down};
    if (book_.other)
      return std::unexpected{*book_.other};
    auto taken = std::vector<storage::text_work>{};
    while (!book_.waiting.empty() && taken.size() < book_.batch) {
      taken.push_back(
          {{0, book_.next_seq++}, 1, 1, message_id::make(), book_.waiting.front()});
      book_.waiting.pop_front();
    }
    return taken;
  }
  result<std::vector<bool>>
  store(storage::model_number, std::span<const storage::text_vectors> texts) override {
    if (book_.down)
      return std::unexpected{*book_.down};
    if (book_.full)
      return std::unexpected{*book_.full};
    auto kept = std::vector<bool>{};
    for (const auto& one : texts)
      if (std::ranges::contains(book_.spoiled, one.place.seq))
        return jessica::fail(errc::invalid_input, "not storable");
    for (const auto& one : texts) {
      kept.push_back(!std::ranges::contains(book_.stale, one.place.seq));
      if (kept.back())
        book_.stored.push_back(one.place.seq);
    }
    return kept;
  }
  result<std::int64_t> fail(std::span<const storage::text_failure> failures) override {
    for (const auto& one : failures)
      book_.failed.push_back(one.what);
    return 0;
  }
  result<void> release(std::span<const storage::text_work> texts,
                       std::chrono::milliseconds pause) override {
    for (const auto& one : texts)
      book_.released.push_back(one.place.seq);
    if (!texts.empty())
      book_.pause = pause;
    return {};
  }
  result<old_texts> queue_old(storage::model_number) override {
    ++book_.looked_at_old;
    if (book_.old.empty())
      return old_texts::complete;
    book_.waiting.push_back(book_.old.back());
    book_.old.pop_back();
    return old_texts::more;
  }
  result<bool> drop_old(storage::model_number) override {
    return book_.leftovers-- > 0;
  }
  result<storage::text_backlog> count() override { return storage::text_backlog{}; }

private:
  desk_book& book_;
};

struct embedding_world {
  desk_book book;
  std::shared_ptr<test::letter_embedder> with =
      std::make_shared<test::letter_embedder>();
  std::shared_ptr<std::optional<storage::model_number>> model =
      std::make_shared<std::optional<storage::model_number>>();
  test::actor_world world;
  embedding_actor aut;

  void start() {
    const auto deps = embedding_deps{
        with, [this] { return std::make_unique<booked_desk>(book); }, model, 16};
    aut = world.own(world.sys().spawn(embedding, deps));
    world.settle();
  }
};

} // namespace

TEST_SUITE("actors.embedding") {
  TEST_CASE_FIXTURE(embedding_world, "it uses its model and takes all that waits") {
    book.waiting = {"a", "b", "c", "d"};
    start();
    CHECK(book.models_used == 1);
    CHECK(*model == storage::model_number{7});
    CHECK(book.stored == std::vector<std::int64_t>{1, 2, 3, 4});
  }

  TEST_CASE_FIXTURE(embedding_world, "it is woken, and looks by itself now and then") {
    start();
    book.waiting = {"told"};
    world.tell(aut, texts_due{});
    CHECK(book.stored.size() == 1);
    book.waiting = {"untold"};
    world.advance(1000ms);
    CHECK(book.stored.size() == 2);
  }

  TEST_CASE_FIXTURE(embedding_world,
                    "after work it looks once more, for what was being written") {
    start();
    book.waiting = {"first"};
    world.tell(aut, texts_due{});
    book.waiting = {"late"};
    world.advance(25ms);
    CHECK(book.stored.size() == 2);
    const auto claims = book.claims;
    world.advance(25ms); // of the second one
    world.advance(400ms);
    CHECK(book.claims == claims + 1);
  }

  TEST_CASE_FIXTURE(embedding_world, "many wakes are one look") {
    start();
    const auto claims = book.claims;
    for (auto i = 0; i < 5; ++i)
      caf::anon_send(aut, texts_due{});
    world.settle();
    CHECK(book.claims == claims + 1);
  }

  TEST_CASE_FIXTURE(embedding_world, "old texts come when no fresh ones wait") {
    book.waiting = {"fresh"};
    book.old = {"old1", "old2"};
    start();
    CHECK(with->runs() ==
          std::vector<std::vector<std::string>>{{"fresh"}, {"old2"}, {"old1"}});
    CHECK(book.looked_at_old == 3);
    world.advance(3000ms);
    CHECK(book.looked_at_old == 3); // all are done: not asked again
  }

  TEST_CASE_FIXTURE(embedding_world, "then what other models left is removed") {
    book.leftovers = 3;
    start();
    CHECK(book.leftovers == -1);
    world.advance(3000ms);
    CHECK(book.leftovers == -1);
  }

  TEST_CASE_FIXTURE(embedding_world, "a stale answer is dropped, its work given back") {
    book.waiting = {"a", "b"};
    book.stale = {2};
    start();
    CHECK(book.stored == std::vector<std::int64_t>{1});
    CHECK(book.released == std::vector<std::int64_t>{2});
    CHECK(book.failed.empty());
  }

  TEST_CASE_FIXTURE(embedding_world,
                    "a text that is never free to be stored waits ever longer") {
    book.waiting = {"a"};
    book.stale = {1};
    start();
    CHECK(book.pause == 100ms);
    for (const auto pause : {200ms, 400ms, 800ms}) {
      book.next_seq = 1; // the same text again
      book.waiting = {"a", "b"};
      world.tell(aut, texts_due{});
      CHECK(book.pause == pause);
    }
    for (auto i = 0; i < 10; ++i) {
      book.next_seq = 1;
      book.waiting = {"a"};
      world.tell(aut, texts_due{});
    }
    CHECK(book.pause == 10'000ms);
    book.stale.clear();
    book.next_seq = 1;
    book.waiting = {"a"};
    world.tell(aut, texts_due{});
    book.stale = {1};
    book.next_seq = 1;
    book.waiting = {"a"};
    world.tell(aut, texts_due{});
    CHECK(book.pause == 100ms); // it had been stored in between
  }

  TEST_CASE_FIXTURE(embedding_world,
                    "a database that is slow or full is no text's fault") {
    for (const auto code : {errc::timeout, errc::overloaded, errc::unavailable}) {
      book.released.clear();
      book.full = error{code, "later", {}, nullptr};
      book.next_seq = 1;
      book.waiting = {"a", "b"};
      start();
      CHECK(book.released == std::vector<std::int64_t>{1, 2});
      CHECK(book.pause == 500ms);
      CHECK(book.failed.empty());
    }
  }

  TEST_CASE_FIXTURE(embedding_world,
                    "after another model was used old texts are looked at again") {
    start();
    CHECK(book.looked_at_old == 1);
    book.other = error{errc::unavailable, "another model is used", {}, nullptr};
    world.tell(aut, texts_due{});
    book.other.reset();
    book.old = {"missed"};
    world.advance(1000ms);
    CHECK(book.stored.size() == 1);
    CHECK(book.looked_at_old == 3);
  }

  TEST_CASE_FIXTURE(embedding_world, "a bad text fails alone") {
    with->refused = {"bad"};
    book.waiting = {"good", "bad"};
    start();
    CHECK(book.stored == std::vector<std::int64_t>{1});
    CHECK(book.failed == std::vector<std::string>{"cannot embed bad"});
  }

  TEST_CASE_FIXTURE(embedding_world, "what the database refuses fails alone") {
    book.waiting = {"a", "b", "c"};
    book.spoiled = {2};
    start();
    CHECK(book.stored == std::vector<std::int64_t>{1, 3});
    CHECK(book.failed == std::vector<std::string>{"not storable"});
  }

  TEST_CASE_FIXTURE(
      embedding_world,
      "while the embedder is away nothing is taken, and nothing counted") {
    with->away = error{errc::unavailable, "no server", {}, nullptr};
    book.waiting = {"a", "b", "c", "d"};
    start();
    CHECK(book.released == std::vector<std::int64_t>{1, 2, 3});
    CHECK(book.pause == 500ms);
    CHECK(book.failed.empty());
    const auto claims = book.claims;
    world.tell(aut, texts_due{});
    CHECK(book.claims == claims); // paused
    with->away.reset();
    world.advance(1000ms);
    CHECK(book.stored == std::vector<std::int64_t>{4});
  }

  TEST_CASE_FIXTURE(embedding_world, "the pauses grow up to half a minute") {
    with->away = error{errc::timeout, "slow", {}, nullptr};
    start();
    for (auto i = 0; i < 100; ++i) {
      book.waiting = {"x"};
      world.advance(1000ms);
    }
    CHECK(book.pause == 30'000ms);
    with->away.reset();
    world.advance(31s);
    with->away = error{errc::timeout, "slow", {}, nullptr};
    book.waiting = {"y"};
    world.advance(1000ms);
    CHECK(book.pause == 500ms); // it had worked in between
  }

  TEST_CASE_FIXTURE(embedding_world, "a database that is away is asked again later") {
    book.down = error{errc::unavailable, "no connection", {}, nullptr};
    book.waiting = {"a"};
    start();
    CHECK(book.models_used == 0);
    book.down.reset();
    world.advance(1000ms);
    CHECK(book.models_used == 1);
    CHECK(book.stored.size() == 1);
  }

  TEST_CASE_FIXTURE(embedding_world, "one that is started again keeps the choice") {
    start();
    start();
    CHECK(book.models_used == 1);
  }
}

} // namespace jessica::actors
