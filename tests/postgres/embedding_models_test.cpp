#include "tests/postgres/memory_world.hpp"

#include <string>

namespace jessica::storage {
namespace {

using namespace test;

struct models_world : memory_world {

  /// Steps of the first pass until it says something else than "more".
  [[nodiscard]] old_texts look_through(std::size_t page) {
    for (auto i = 0; i < 100; ++i) {
      const auto state = queue_old_texts(db, model, page);
      if (!state)
        FAIL(state.error().what);
      if (*state != old_texts::more)
        return *state;
    }
    FAIL("the pass does not end");
    return old_texts::more;
  }
  /// Everything with this embedder, until the model is complete.
  void catch_up() {
    (void)embed_all();
    for (auto i = 0; i < 20 && look_through(100) != old_texts::complete; ++i)
      (void)embed_all();
  }
  [[nodiscard]] std::string searched() {
    const auto found = find_searched_model(db);
    if (!found)
      FAIL(found.error().what);
    return *found ? (*found)->name : "none";
  }
  void change_model() {
    letters_before = letters->traits().id;
    letters = std::make_shared<letter_embedder>("better-" + user_id::make().str(), 12);
    model = use(*letters);
  }
  std::string letters_before;
};

} // namespace

TEST_SUITE("storage.embedding_models") {
  TEST_CASE_FIXTURE(models_world, "a model that is used has a number and an index") {
    CHECK(number_of("select count(*) from public.embedding_models where active") == 1);
    CHECK(text_of("select name || ' ' || dim from public.embedding_models") ==
          letters->traits().id + " 8");
    CHECK(number_of("select count(*) from pg_indexes where indexname = $1",
                    {"embeddings_hnsw_m" + std::to_string(model.value)}) == 1);
    CHECK(use(*letters) == model); // again: nothing new
    CHECK(find_used_model(db, letters->traits().id)->value() == model);
    CHECK_FALSE(*find_used_model(db, "another"));
  }

  TEST_CASE_FIXTURE(models_world, "a model keeps its size") {
    const auto used = use_model(db, letters->traits().id, 9);
    REQUIRE_FALSE(used);
    CHECK(used.error().code == errc::invalid_input);
  }

  TEST_CASE_FIXTURE(models_world, "without a model no text waits") {
    admin("select jessica.use_no_model()");
    (void)write("unheard");
    CHECK(waiting() == 0);
    CHECK(searched() == "none");
    CHECK(claim_texts(db, wish()).error().code == errc::unavailable);
    CHECK(number_of("select count(*) from public.match_messages('[1,2,3]')") == 0);
  }

  TEST_CASE_FIXTURE(models_world,
                    "old texts wait behind the fresh ones, page by page") {
    admin("select jessica.use_no_model()");
    for (auto i = 0; i < 7; ++i)
      (void)write("old " + std::to_string(i));
    (void)write("", "pending");
    model = use(*letters);
    (void)write("fresh");
    CHECK(queue_old_texts(db, model, 3) == old_texts::more);
    CHECK(number_of("select count(*) from jessica.unembedded where rank = 1") <= 3);
    const auto first = claim();
    REQUIRE(first.size() == 1);
    CHECK(first[0].text == "fresh");
    CHECK(store(first) == std::vector{true});
    CHECK(look_through(3) == old_texts::waiting);
    CHECK(claim(10, 2).size() == 2);
    admin("update jessica.unembedded set due_at = now()");
    CHECK(embed_all() == 7);
    CHECK(look_through(3) == old_texts::complete);
    CHECK(number_of("select count(distinct message_id) from public.embeddings") == 8);
    CHECK(number_of("select count(*) from public.embedding_models where complete") ==
          1);
  }

  TEST_CASE_FIXTURE(models_world,
                    "a text that is written while the model comes waits") {
    admin("select jessica.use_no_model()");
    auto before = open_transaction{
        "set transaction isolation level repeatable read; select 1 from auth.users"};
    model = use(*letters);
    before.run("insert into public.messages (conversation_id, user_id, content) "
               "values ('" +
               room.str() + "', '" + ada.str() + "', 'between')");
    before.run("commit");
    CHECK(embed_all() == 1);
  }

  TEST_CASE_FIXTURE(models_world,
                    "a table that is busy lets the model wait, not hang") {
    admin("select jessica.use_no_model()");
    auto writing =
        open_transaction{"insert into public.messages (conversation_id, user_id, "
                         "content) values ('" +
                         room.str() + "', '" + ada.str() + "', 'slow')"};
    const auto refused = use_model(db, letters->traits().id, 8);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::overloaded);
    writing.run("commit");
    model = use(*letters);
    catch_up();
    CHECK(number_of("select count(*) from public.embeddings") == 1);
  }

  TEST_CASE_FIXTURE(models_world,
                    "searches go by the old model until the new is done") {
    const auto id = write("words");
    CHECK(embed_all() == 1);
    catch_up();
    const auto before = model;
    CHECK(searched() == letters->traits().id);
    change_model();
    CHECK(model != before);
    CHECK(searched() == letters_before);
    CHECK(number_of("select count(*) from public.match_messages("
                    "'[1,1,1,1,1,1,1,1]')") == 1);
    CHECK(look_through(10) == old_texts::waiting);
    CHECK(drop_old_embeddings(db, model, 10) == false); // not yet
    CHECK(embed_all() == 1);
    CHECK(rows_of(id) == 2);
    CHECK(look_through(10) == old_texts::complete);
    CHECK(searched() == letters->traits().id);
    CHECK(number_of("select count(*) from public.match_messages("
                    "'[1,1,1,1,1,1,1,1,1,1,1,1]')") == 1);
  }

  TEST_CASE_FIXTURE(models_world, "the old model's vectors go afterwards, in batches") {
    for (auto i = 0; i < 5; ++i)
      (void)write("words " + std::to_string(i));
    catch_up();
    change_model();
    catch_up();
    CHECK(number_of("select count(*) from public.embeddings") == 10);
    CHECK(drop_old_embeddings(db, model, 3) == true);
    CHECK(number_of("select count(*) from public.embeddings") == 7);
    while (drop_old_embeddings(db, model, 3) == true) {
    }
    CHECK(number_of("select count(*) from public.embeddings") == 5);
    CHECK(number_of("select count(*) from public.embeddings where model_id = $1",
                    {std::to_string(model.value)}) == 5);
  }

  TEST_CASE_FIXTURE(models_world, "a node of the old model stores nothing any more") {
    const auto id = write("words");
    const auto taken = claim();
    const auto old = vectors_of(taken);
    const auto before = model;
    change_model();
    CHECK(store_embeddings(db, before, old) == std::vector{false});
    CHECK(rows_of(id) == 0);
    CHECK_FALSE(claim_texts(db, {before, "node-2", 1, 1, std::chrono::seconds{1}}));
    admin("update jessica.unembedded set due_at = now()");
    CHECK(embed_all() == 1);
  }

  TEST_CASE_FIXTURE(models_world,
                    "a text that changed while no model was used is old") {
    const auto id = write("before");
    catch_up();
    admin("select jessica.use_no_model()");
    edit(id, "after");
    model = use(*letters);
    catch_up();
    CHECK(pieces_of(id) == "2:0-5");
  }

  TEST_CASE_FIXTURE(models_world, "what is done already is not done again") {
    (void)write("words");
    CHECK(embed_all() == 1);
    CHECK(look_through(10) == old_texts::complete);
    CHECK(waiting() == 0);
  }
}

} // namespace jessica::storage
