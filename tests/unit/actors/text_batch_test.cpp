#include "actors/text_batch.hpp"
#include "tests/fixtures/letter_embedder.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace jessica::actors {
namespace {

using test::letter_embedder;
using names = std::vector<std::string>;

[[nodiscard]] std::vector<storage::text_work> texts(const names& contents) {
  auto made = std::vector<storage::text_work>{};
  for (const auto& text : contents)
    made.push_back({{0, static_cast<std::int64_t>(made.size() + 1)},
                    3,
                    1,
                    message_id::make(),
                    text});
  return made;
}

} // namespace

TEST_SUITE("actors.text_batch") {
  TEST_CASE("each piece of a text has its place and its vector") {
    const auto with = letter_embedder{};
    const auto batch = embed_batch(with, texts({"abc|de", "f"}), 16);
    REQUIRE(batch.ready.size() == 2);
    CHECK(batch.ready[0].place.seq == 1);
    CHECK(batch.ready[0].version == 3);
    REQUIRE(batch.ready[0].pieces.size() == 2);
    CHECK(batch.ready[0].pieces[1].begin == 4);
    CHECK(batch.ready[0].pieces[1].end == 6);
    CHECK(batch.ready[0].pieces[0].vector == with.vector_of("abc"));
    CHECK(batch.ready[0].pieces[1].vector == with.vector_of("de"));
    CHECK(batch.ready[1].pieces[0].vector == with.vector_of("f"));
    CHECK_FALSE(batch.away);
  }

  TEST_CASE("like lengths go together, a run at a time") {
    const auto with = letter_embedder{};
    (void)embed_batch(with, texts({"aaaa", "b", "cccc|d", "eeeeeeee"}), 2);
    CHECK(with.runs() ==
          std::vector<names>{{"b", "d"}, {"aaaa", "cccc"}, {"eeeeeeee"}});
  }

  TEST_CASE("a text without words is ready without vectors") {
    const auto with = letter_embedder{};
    const auto batch = embed_batch(with, texts({" ..."}), 16);
    REQUIRE(batch.ready.size() == 1);
    CHECK(batch.ready[0].pieces.empty());
    CHECK(with.runs().empty());
  }

  TEST_CASE("one bad text spoils no other") {
    auto with = letter_embedder{};
    with.refused = {"bad"};
    const auto batch = embed_batch(with, texts({"ok1", "bad|more", "ok2"}), 16);
    CHECK(batch.ready.size() == 2);
    REQUIRE(batch.failed.size() == 1);
    CHECK(batch.failed[0].place.seq == 2);
    CHECK(batch.failed[0].attempt == 1);
    CHECK(batch.failed[0].retryable);
    CHECK(batch.failed[0].what == "cannot embed bad");
    CHECK(batch.unserved.empty());
  }

  TEST_CASE("a vector that is none is refused") {
    auto with = letter_embedder{};
    with.crooked = {"nan"};
    const auto batch = embed_batch(with, texts({"nan", "good"}), 16);
    CHECK(batch.ready.size() == 1);
    REQUIRE(batch.failed.size() == 1);
    CHECK(batch.failed[0].place.seq == 1);
  }

  TEST_CASE("when the embedder is away no text is to blame") {
    auto with = letter_embedder{};
    with.away = error{errc::unavailable, "no server", {}, nullptr};
    const auto batch = embed_batch(with, texts({"a", "b", "..."}), 1);
    CHECK(batch.failed.empty());
    CHECK(batch.unserved.size() == 2);
    CHECK(batch.ready.size() == 1); // the one that needs none
    REQUIRE(batch.away);
    CHECK(batch.away->what == "no server");
    CHECK(with.runs().size() == 1); // it is not asked again and again
  }

  TEST_CASE("what was embedded before the embedder went away is kept") {
    auto with = letter_embedder{};
    with.meanwhile = [&] {
      with.meanwhile = [&] { with.away = error{errc::timeout, "slow", {}, nullptr}; };
    };
    const auto batch = embed_batch(with, texts({"a", "bb|c", "ddd"}), 2);
    CHECK(batch.ready.size() == 1);
    CHECK(batch.unserved.size() == 2);
  }

  TEST_CASE("a text that was begun too often is given up unread") {
    const auto with = letter_embedder{};
    auto work = texts({"deadly", "harmless"});
    work[0].attempt = 25;
    const auto batch = embed_batch(with, std::move(work), 16);
    REQUIRE(batch.failed.size() == 1);
    CHECK_FALSE(batch.failed[0].retryable);
    CHECK(with.runs() == std::vector<names>{{"harmless"}});
  }
}

} // namespace jessica::actors
