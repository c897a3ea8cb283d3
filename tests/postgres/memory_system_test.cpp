#include "actors/errors.hpp"
#include "actors/system.hpp"
#include "engines/builtin.hpp"
#include "tests/postgres/memory_world.hpp"

#include <caf/scoped_actor.hpp>

#include <memory>
#include <string>
#include <thread>

// EMBEDDER and EMBEDDING with real threads over a real database.

namespace jessica::actors {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct remembering_system : memory_world {
  std::unique_ptr<system> running;

  void start() {
    auto options =
        system_options{.settings = {},
                       .database = database(),
                       .credentials = {"a secret of at least thirty-two bytes",
                                       "sb_publishable_x", "sb_secret_x"},
                       .node = "memory",
                       .engine = engines::make_builtin(0),
                       .sockets = {},
                       .embedder = letters};
    running = std::make_unique<system>(std::move(options));
  }

  template <class T, class Message> result<T> ask(Message what) {
    auto answer = result<T>{fail(errc::timeout, "nobody answered")};
    auto self = caf::scoped_actor{running->caf()};
    self->request(running->embedder(), patience, std::move(what))
        .receive(
            [&](T& got) { answer = std::move(got); },
            [&](const caf::error& why) { answer = std::unexpected{from_caf(why)}; });
    return answer;
  }
  result<message_embedded> embed(const identity& who, message_id which) {
    return ask<message_embedded>(
        embed_message{std::make_shared<const identity>(who), which});
  }
  [[nodiscard]] bool gets(message_id which, int rows) {
    return becomes_true("select count(*) = " + std::to_string(rows) +
                            " from public.embeddings where message_id = $1",
                        {which.str()});
  }
};

} // namespace

TEST_SUITE("actors.memory_system") {
  TEST_CASE_FIXTURE(remembering_system, "messages old and new get their vectors") {
    const auto old = write("before the server");
    start();
    CHECK(gets(old, 1));
    const auto fresh = write("a new one|in two pieces");
    CHECK(gets(fresh, 2));
    edit(fresh, "changed");
    CHECK(gets(fresh, 1));
    CHECK(becomes_true("select complete from public.embedding_models where name = $1",
                       {letters->traits().id}));
  }

  TEST_CASE_FIXTURE(remembering_system,
                    "an edit while it is being embedded is followed") {
    auto id = message_id::make();
    auto editor = storage::connection{database(), storage::role::migrations};
    letters->meanwhile = [&] { // on another thread
      (void)editor.run(
          {"update public.messages set content = 'after' where id = $1", {id.str()}});
    };
    id = write("before");
    start();
    CHECK(becomes_true("select count(*) = 1 and max(version) = 2 "
                       "from public.embeddings where message_id = $1",
                       {id.str()}));
  }

  TEST_CASE_FIXTURE(remembering_system,
                    "a bad text is dead in the end, others are not") {
    letters->refused = {"bad"};
    const auto bad = write("bad");
    const auto good = write("good");
    start();
    CHECK(gets(good, 1));
    for (auto i = 0; i < 5; ++i) {
      CHECK(becomes_true("select coalesce((select node is null and attempts > 0 from "
                         "jessica.unembedded where message_id = $1), true)",
                         {bad.str()}));
      admin("update jessica.unembedded set due_at = now() where due_at > now()");
    }
    CHECK(becomes_true("select exists (select from public.inference_jobs where "
                       "message_id = $1 and status = 'dead')",
                       {bad.str()}));
    CHECK(rows_of(bad) == 0);
  }

  TEST_CASE_FIXTURE(remembering_system, "whoever waits for texts gets their vectors") {
    start();
    const auto made = ask<texts_embedded>(embed_texts{{"abc", "de"}});
    REQUIRE(made);
    CHECK(made->vectors ==
          std::vector{letters->vector_of("abc"), letters->vector_of("de")});
    letters->change([&] { letters->crooked = {"x"}; });
    CHECK(ask<texts_embedded>(embed_texts{{"x"}}).error().code == errc::internal);
  }

  TEST_CASE_FIXTURE(remembering_system, "a message is embedded for who may see it") {
    start();
    const auto id = write("one|two");
    const auto made = embed(signed_in(ada), id);
    REQUIRE(made);
    CHECK(made->pieces == 2);
    CHECK_FALSE(made->position.none());
    CHECK(rows_of(id) == 2);
    CHECK(becomes_true("select not exists (select from jessica.unembedded)"));
    const auto runs = letters->runs().size();
    const auto again = embed(service(), id);
    REQUIRE(again);
    CHECK(again->pieces == 2);
    CHECK(letters->runs().size() == runs); // it was there
    const auto refused = embed(signed_in(add_user()), id);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "message_not_found");
    CHECK(embed(signed_in(ada), message_id::make()).error().reason ==
          "message_not_found");
    const auto empty = embed(signed_in(ada), write("", "pending"));
    REQUIRE(empty);
    CHECK(empty->pieces == 0);
  }

  TEST_CASE_FIXTURE(remembering_system,
                    "a failure there leaves the text to EMBEDDING") {
    start();
    letters->change([&] { letters->refused = {"words"}; });
    const auto id = write("words");
    CHECK(embed(signed_in(ada), id).error().code == errc::internal);
    CHECK(waiting() == 1);
    CHECK(rows_of(id) == 0);
    letters->change([&] { letters->refused.clear(); });
    admin("update jessica.unembedded set due_at = now() where due_at > now()");
    CHECK(gets(id, 1));
  }
}

} // namespace jessica::actors
