#include "storage/act_as.hpp"
#include "storage/embedding_rows.hpp"
#include "storage/memory_search.hpp"
#include "tests/postgres/vectors_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;

struct memory_case {
  two_number_model model;
  connection db{database(), role::requests};
  user_id ada = add_user();
  user_id bob = add_user();
  conversation_id room = add_conversation(ada);
  conversation_id other = add_conversation(ada);
  conversation_id bobs = add_conversation(bob);

  [[nodiscard]] memory_owner owner(user_id user) const {
    return {user, std::make_shared<const identity>(signed_in(user))};
  }
  [[nodiscard]] std::vector<message_id> nearest(const memory_filter& filter = {},
                                                std::size_t k = 10, float least = -1) {
    const auto hits =
        nearest_memories(db, owner(ada), "two", at_angle(0), filter, k, least);
    REQUIRE(hits);
    auto ids = std::vector<message_id>{};
    for (const auto& one : *hits)
      ids.push_back(one.message);
    return ids;
  }
  [[nodiscard]] std::vector<memory_text> read(user_id who,
                                              std::vector<memory_place> places) {
    auto texts = read_memories(db, owner(who), places);
    REQUIRE(texts);
    return *texts;
  }
  [[nodiscard]] std::vector<worded_memory> matches(const std::string& text,
                                                   const memory_filter& filter = {},
                                                   std::size_t k = 10) {
    auto found = memories_with_words(db, owner(ada), "english", text, filter, k);
    REQUIRE(found);
    return *found;
  }
  [[nodiscard]] std::vector<message_id> worded(const std::string& text,
                                               const memory_filter& filter = {},
                                               std::size_t k = 10) {
    auto ids = std::vector<message_id>{};
    for (const auto& one : matches(text, filter, k))
      ids.push_back(one.message);
    return ids;
  }
  /// Of the only message that is found.
  [[nodiscard]] double match(const std::string& text) {
    const auto found = matches(text);
    REQUIRE(found.size() == 1);
    return found[0].match;
  }
};

} // namespace

TEST_SUITE("postgres.memory_search") {

  TEST_CASE_FIXTURE(memory_case, "texts come in the order of their places, with the "
                                 "piece that was found") {
    const auto dog = add_message(ada, room, "My dog is called Rex. He is old.");
    const auto piece = embed(ada, dog, 0, 1, 22, 32);
    const auto cat = add_memory(ada, other, "I have a cat", 10, "assistant");
    const auto texts = read(ada, {{cat.message, cat.piece}, {dog, piece}});
    REQUIRE(texts.size() == 2);
    CHECK(texts[0].place == 0);
    CHECK(texts[0].what.message == cat.message);
    CHECK(texts[0].what.role == message_role::assistant);
    CHECK(texts[0].what.conversation == other);
    CHECK(texts[0].what.excerpt == "I have a cat");
    CHECK(texts[1].what.content == "My dog is called Rex. He is old.");
    CHECK(texts[1].what.excerpt == "He is old.");
    CHECK_FALSE(texts[1].what.cut);
  }

  TEST_CASE_FIXTURE(memory_case, "nobody reads another's, whoever is asked for") {
    const auto secret = add_memory(bob, bobs, "Bob's secret", 0);
    CHECK(read(ada, {{secret.message, secret.piece}}).empty());
    CHECK(nearest().empty());
    // Even with the rights of the owner only what is the asked user's is told.
    const auto as_server = read_memories(
        db, {ada, nullptr}, std::vector<memory_place>{{secret.message, secret.piece}});
    REQUIRE(as_server);
    CHECK(as_server->empty());
    const auto as_bob = read_memories(
        db, {bob, nullptr}, std::vector<memory_place>{{secret.message, secret.piece}});
    REQUIRE(as_bob);
    CHECK(as_bob->size() == 1);
    CHECK(worded("secret").empty());
  }

  TEST_CASE_FIXTURE(memory_case, "what was deleted since it was found is not read") {
    const auto gone = add_memory(ada, room, "gone", 0);
    const auto edited = add_memory(ada, room, "edited", 0);
    admin("delete from public.messages where id = $1", {gone.message.str()});
    admin("delete from public.embeddings where id = $1",
          {std::to_string(edited.piece.value)});
    CHECK(read(ada, {{gone.message, gone.piece}, {edited.message, edited.piece}})
              .empty());
    CHECK(read(ada, {{edited.message, {}}}).size() == 1); // found by its words
  }

  TEST_CASE_FIXTURE(memory_case, "a long text is cut, and says so") {
    const auto long_one = add_message(ada, room, std::string(9000, 'x') + "é");
    const auto texts = read(ada, {{long_one, {}}});
    REQUIRE(texts.size() == 1);
    CHECK(texts[0].what.cut);
    CHECK(texts[0].what.content.size() == 8192);
    CHECK(texts[0].what.excerpt.size() == 2048);
    // Bytes that cut a character in two lose it, no more.
    const auto odd = add_message(ada, room, "aéb");
    const auto piece = embed(ada, odd, 0, 0, 2, 4);
    CHECK(read(ada, {{odd, piece}}).at(0).what.excerpt == "b");
  }

  TEST_CASE_FIXTURE(memory_case, "the nearest come first, each message once") {
    const auto far = add_memory(ada, room, "far", 80);
    const auto near = add_message(ada, room, "near");
    embed(ada, near, 30, 0);
    embed(ada, near, 10, 1);
    CHECK(nearest() == std::vector{near, far.message});
    CHECK(nearest({}, 1) == std::vector{near});
    CHECK(nearest({}, 10, 0.5F) == std::vector{near});
    const auto hits = nearest_memories(db, owner(ada), "", at_angle(0), {}, 10, -1);
    REQUIRE(hits);
    CHECK(hits->at(0).score == doctest::Approx(std::cos(10 * 3.14159265 / 180)));
    CHECK(
        nearest_memories(db, owner(ada), "unknown", at_angle(0), {}, 10, -1)->empty());
    const auto wrong =
        nearest_memories(db, owner(ada), "two", std::vector<float>(3), {}, 10, -1);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.error().code == errc::invalid_input);
  }

  TEST_CASE_FIXTURE(memory_case, "others' nearer vectors hide nothing, although there "
                                 "is an index of all") {
    admin("select public.ensure_embedding_index(77::smallint)");
    const auto busy = add_message(bob, bobs, "busy");
    for (auto i = 0; i < 200; ++i)
      embed(bob, busy, i * 0.2, i);
    const auto mine = add_memory(ada, room, "mine", 60);
    // Whoever may not sort takes the index wherever it serves.
    auto where = database();
    where.conninfo += " options='-c enable_sort=off -c enable_seqscan=off'";
    db = connection{where, role::requests};
    CHECK(nearest() == std::vector{mine.message});
    const auto matched =
        db.run(std::array{act_as(signed_in(ada), access::read_only),
                          statement{"select message_id from "
                                    "public.match_messages('[1,0]'::extensions.vector)",
                                    {}}});
    REQUIRE(matched);
    CHECK(matched->at(1).size() == 1);
    admin("drop index public.embeddings_hnsw_m77");
  }

  TEST_CASE_FIXTURE(memory_case, "filters leave out what does not pass") {
    const auto here = add_memory(ada, room, "dog here", 0);
    const auto there = add_memory(ada, other, "dog there", 1, "assistant");
    admin("update public.embeddings set said_at = '2020-01-01' where id = $1",
          {std::to_string(there.piece.value)});
    admin("update public.messages set created_at = '2020-01-01' where id = $1",
          {there.message.str()});
    const auto middle =
        timestamp{std::chrono::sys_days{std::chrono::year{2021} / 1 / 1}};
    const auto filters = std::vector<memory_filter>{{.conversation = room},
                                                    {.not_conversation = other},
                                                    {.role = message_role::user},
                                                    {.since = middle}};
    for (const auto& filter : filters) {
      CHECK(nearest(filter) == std::vector{here.message});
      CHECK(worded("dogs", filter) == std::vector{here.message});
    }
    CHECK(nearest({.before = middle}) == std::vector{there.message});
    CHECK(worded("dog", {.before = middle}) == std::vector{there.message});
  }

  TEST_CASE_FIXTURE(memory_case, "any of the words is enough, more words are better") {
    const auto one = add_message(ada, room, "The dog sleeps");
    const auto both = add_message(ada, room, "A dog and a garden");
    add_message(ada, room, "Nothing of that");
    const auto found = worded("Does my dog like the garden?");
    CHECK(found == std::vector{both, one});
    CHECK(worded("Does my dog like the garden?", {}, 1) == std::vector{both});
    CHECK(worded("the of a").empty()); // nothing but stop words
    CHECK(worded("' | & ! :* \\").empty());
    CHECK_FALSE(memories_with_words(db, owner(ada), "klingon", "dog", {}, 1));
  }

  TEST_CASE_FIXTURE(memory_case, "names count in full, other words a sixth, rare ones "
                                 "more") {
    const auto named = add_message(ada, room, "the bill from Kowalczyk came");
    const auto unnamed = add_message(ada, room, "a bill for the roof");
    const auto found = matches("the bill from kowalczyk");
    REQUIRE(found.size() == 2);
    CHECK(found[0].message == named);
    CHECK(found[1].message == unnamed);
    const auto bill = std::log(2);
    const auto name = std::log(3);
    CHECK(found[0].match == doctest::Approx((name + bill / 6) / (name + bill)));
    CHECK(found[1].match == doctest::Approx(bill / 6 / (name + bill)));
  }

  TEST_CASE_FIXTURE(memory_case, "numbers, codes and addresses are names") {
    add_message(ada, room,
                "it stopped with E1042, order 88231, JES-4711, v3.docx, "
                "anke@example.org, 10.0.0.42");
    for (const auto* const code :
         {"E1042 again", "order 88231", "see JES-4711", "the v3.docx file",
          "mail anke@example.org", "what is 10.0.0.42"}) {
      CAPTURE(code);
      CHECK(match(code) > 0.3);
    }
    CHECK(match("it stopped again") < 0.17);
    CHECK(worded("E1024, order 88213").size() == 1); // by the order, no more
    CHECK(match("E1024, order 88213") < 0.17);
  }

  TEST_CASE_FIXTURE(memory_case,
                    "what messages write in lower case is no name, nor what "
                    "begins a sentence") {
    add_message(ada, room, "we read the comic strip Peanuts. Vitamins are good");
    CHECK(match("peanuts allergy") > 0.4);
    CHECK(match("vitamins please") < 0.17);
    const auto lower = add_message(ada, room, "they pay peanuts");
    for (const auto& one : matches("allergic to Peanuts"))
      CHECK(one.match < 0.17);
    admin("delete from public.messages where id = $1", {lower.str()});
    add_message(ada, other, "Kowalczyk called");
    CHECK(match("what did Kowalczyk say") > 0.4); // the question's capital
    CHECK(match("what did kowalczyk say") < 0.17);
  }

  TEST_CASE_FIXTURE(memory_case, "a word alone is what is looked for") {
    add_message(ada, room, "a cake with marzipan");
    CHECK(match("marzipan") == doctest::Approx(1));
    CHECK(match("more marzipan") < 0.17);
    CHECK(match("what about the marzipan?") < 0.17);
  }

  TEST_CASE_FIXTURE(memory_case, "no text of a question is a pattern, or too long") {
    add_message(ada, room, "a dog (old) costs 5 euros");
    CHECK(worded("dog.* (a|b [x a{2} \\m ^$ C++ 5").size() == 1);
    auto text = std::string{"dog"};
    for (auto i = 0; i < 2000; ++i)
      text += " word" + std::to_string(i);
    CHECK(memories_with_words(db, owner(ada), "english", text, {}, 5));
    CHECK(matches("5")[0].match == doctest::Approx(1));
    CHECK(matches("nowhere at all").empty());
  }

  TEST_CASE("vectors are read as PostgreSQL writes them") {
    CHECK(read_vector("[1,-0.5,2e-05]") == std::vector<float>{1, -0.5F, 2e-05F});
    for (const auto* text :
         {"", "[", "[]", "[1,]", "[,1]", "[1 2]", "1,2", "[x]", "[1,2"})
      CHECK_FALSE(read_vector(text));
    CHECK(read_vector_bytes("\\x000200003f800000bf000000") ==
          std::vector<float>{1, -0.5F});
    for (const auto* text : {"", "\\x", "\\x0001", "\\x00020000", "\\x000200003f800000",
                             "\\x000100003f80000g", "000100003f800000"})
      CHECK_FALSE(read_vector_bytes(text));
    CHECK(read_vector(vector_literal(std::vector<float>{0.1F, -3})) ==
          std::vector<float>{0.1F, -3});
  }
}

} // namespace jessica::storage
