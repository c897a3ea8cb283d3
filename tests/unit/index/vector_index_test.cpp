#include "index/vector_index.hpp"
#include "tests/unit/index/searches.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

using namespace jessica;
using namespace jessica::index;

namespace {

const auto ann = numbered<user_id>(1);
const auto ben = numbered<user_id>(2);

vector_index make(std::size_t dimensions, vector_form form = vector_form::float32,
                  std::size_t graph_from = 10'000, std::size_t budget = 0) {
  auto made = vector_index::make({.model = "model",
                                  .dimensions = dimensions,
                                  .form = form,
                                  .graph_from = graph_from,
                                  .budget_bytes = budget,
                                  .always_walk = true});
  REQUIRE(made.has_value());
  return std::move(*made);
}

void add_all(vector_index& index, const std::vector<embedded_piece>& pieces) {
  for (const auto& piece : pieces)
    REQUIRE(index.add(piece).has_value());
}

/// The same pieces in the same order, scores to rounding.
void check_same(const std::vector<memory_hit>& have,
                const std::vector<memory_hit>& want) {
  REQUIRE(have.size() == want.size());
  for (auto i = std::size_t{0}; i < have.size(); ++i) {
    CHECK(have[i].id == want[i].id);
    CHECK(have[i].message == want[i].message);
    CHECK(have[i].score == doctest::Approx(want[i].score).epsilon(1e-5).scale(1));
  }
}

/// Each filter alone, and combined; narrow ones and wide ones. Of `count` pieces.
std::vector<memory_filter> filters_for(std::uint32_t count) {
  const auto conversation = numbered<conversation_id>(3);
  return {{},
          {.conversation = conversation},
          {.not_conversation = conversation},
          {.role = message_role::assistant},
          {.role = message_role::tool},
          {.since = at_second(count / 2)},
          {.before = at_second(count / 2)},
          {.since = at_second(count / 2), .before = at_second(count / 2 + count / 50)},
          {.since = at_second(count), .before = at_second(count)},
          {.conversation = conversation, .not_conversation = conversation},
          {.conversation = conversation, .role = message_role::assistant},
          {.not_conversation = conversation,
           .role = message_role::user,
           .since = at_second(count / 10),
           .before = at_second(count - count / 10)},
          {.conversation = numbered<conversation_id>(99)}};
}

} // namespace

TEST_SUITE("index.vector_index") {
  TEST_CASE("options that cannot be are refused") {
    CHECK(vector_index::make({.model = "m", .dimensions = 0}).error().code ==
          errc::invalid_input);
    CHECK(vector_index::make({.model = "m", .dimensions = 1 << 20}).error().code ==
          errc::invalid_input);
    CHECK(vector_index::make({.model = std::string(300, 'm'), .dimensions = 3})
              .error()
              .code == errc::invalid_input);
  }

  TEST_CASE("an empty index finds nothing") {
    auto index = make(4);
    CHECK(found(index, ann, {1, 0, 0, 0}).empty());
    CHECK(index.ids().empty());
    CHECK(index.size().pieces == 0);
    CHECK(index.size().users == 0);
    CHECK_FALSE(index.remove(ann, {1}));
    index.remove_user(ann);
    CHECK_FALSE(index.vector_of(ann, {1}).has_value());
    CHECK_FALSE(index.work());
  }

  TEST_CASE("vectors of another size, and with what is no number, are refused") {
    const auto bad = std::numeric_limits<float>::quiet_NaN();
    const auto far = std::numeric_limits<float>::infinity();
    for (const auto form : {vector_form::float32, vector_form::int8}) {
      auto index = make(2, form);
      for (const auto& wrong : std::vector<std::vector<float>>{
               {}, {1}, {1, 0, 0}, {bad, 0}, {0, bad}, {far, 0}, {0, -far}}) {
        CHECK(index.add(piece_of(ann, 1, wrong)).error().code == errc::invalid_input);
        CHECK(index.find(ann, wrong, {}, 1, 0).error().code == errc::invalid_input);
        CHECK(index.load(ann, std::vector{piece_of(ann, 1, wrong)}).error().code ==
              errc::invalid_input);
      }
      CHECK(index.size().pieces == 0);
    }
  }

  TEST_CASE("the nearest come first, one piece of each message, of one user only") {
    auto index = make(2);
    add_all(index, {piece_of(ann, 2, {1, 0}), piece_of(ann, 3, unit({1, 1})),
                    piece_of(ann, 4, {0, 1}), piece_of(ben, 6, {1, 0})});
    const auto hits = found(index, ann, {1, 0});
    REQUIRE(hits.size() == 2); // 2 and 3 are of one message
    CHECK(hits[0] == memory_hit{{2}, numbered<message_id>(1), 1});
    CHECK(hits[1] == memory_hit{{4}, numbered<message_id>(2), 0});
    CHECK(found(index, ben, {1, 0}).size() == 1);
    CHECK(found(index, numbered<user_id>(3), {1, 0}).empty());
  }

  TEST_CASE("k may be 0, and more than there is; scores below the least do not count") {
    auto index = make(2);
    add_all(index, {piece_of(ann, 2, {1, 0}), piece_of(ann, 4, {0, 1})});
    CHECK(found(index, ann, {1, 0}, {}, 0).empty());
    CHECK(found(index, ann, {1, 0}, {}, 1).size() == 1);
    CHECK(found(index, ann, {1, 0}, {}, 1'000'000).size() == 2);
    CHECK(found(index, ann, {1, 0}, {}, 10, 0.5F).size() == 1);
    CHECK(found(index, ann, {1, 0}, {}, 10, 0.0F).size() == 2);
    CHECK(found(index, ann, {1, 0}, {}, 10, 1.1F).empty());
  }

  TEST_CASE("of equal scores the newer id comes first") {
    for (const auto form : {vector_form::float32, vector_form::int8}) {
      auto index = make(3, form);
      for (const auto number : {10U, 2U, 8U, 6U, 4U})
        REQUIRE(index.add(piece_of(ann, number, {0, 1, 0})).has_value());
      const auto hits = found(index, ann, {0, 1, 0}, {}, 3);
      REQUIRE(hits.size() == 3);
      CHECK(hits[0].id.value == 10);
      CHECK(hits[1].id.value == 8);
      CHECK(hits[2].id.value == 6);
    }
  }

  TEST_CASE(
      "an id that is there already is left as it is; a removed one may come back") {
    auto index = make(2);
    add_all(index, {piece_of(ann, 2, {1, 0}), piece_of(ann, 2, {0, 1})});
    CHECK(index.size().pieces == 1);
    CHECK(index.vector_of(ann, {2}) == std::vector{1.0F, 0.0F});
    CHECK(index.remove(ann, {2}));
    CHECK_FALSE(index.remove(ann, {2}));
    CHECK(found(index, ann, {1, 0}).empty());
    CHECK(index.size().users == 0); // nothing is kept of who has nothing
    add_all(index, {piece_of(ann, 4, {1, 0}), piece_of(ann, 2, {0, 1})});
    CHECK(index.vector_of(ann, {2}) == std::vector{0.0F, 1.0F});
  }

  TEST_CASE("ids ascend over all users; a removed user is forgotten") {
    auto index = make(2);
    add_all(index, {piece_of(ben, 9, {1, 0}), piece_of(ann, 5, {1, 0}),
                    piece_of(ann, 1, {1, 0}), piece_of(ben, 3, {1, 0})});
    CHECK(index.ids() == std::vector<embedding_id>{{1}, {3}, {5}, {9}});
    CHECK(index.size().users == 2);
    const auto before = index.size().bytes;
    index.remove_user(ben);
    CHECK(index.ids() == std::vector<embedding_id>{{1}, {5}});
    CHECK(index.size().bytes < before);
    index.remove_user(ann);
    CHECK(index.size().bytes == 0);
  }

  TEST_CASE("few pieces are searched exactly, under every filter") {
    for (const auto dimensions : {3UL, 48UL, 65UL}) {
      auto from = clustered{dimensions, 20, 11};
      const auto pieces = pieces_of(ann, 600, from);
      auto index = make(dimensions);
      add_all(index, pieces);
      for (const auto& filter : filters_for(600))
        for (const auto k : {1UL, 10UL, 400UL}) {
          const auto query = from.next();
          check_same(found(index, ann, query, filter, k),
                     reference(pieces, query, filter, k));
          check_same(found(index, ann, query, filter, k, 0.5F),
                     reference(pieces, query, filter, k, 0.5F));
        }
    }
  }

  TEST_CASE("int8 finds what float32 finds, scores to a hundredth") {
    auto from = clustered{256, 20, 12};
    const auto pieces = pieces_of(ann, 2'000, from);
    auto index = make(256, vector_form::int8);
    add_all(index, pieces);
    auto sum = 0.0;
    constexpr auto queries = 40;
    for (auto i = 0; i < queries; ++i) {
      const auto query = from.next();
      const auto hits = found(index, ann, query);
      const auto wanted = reference(pieces, query, {}, 10);
      sum += recall(hits, wanted);
      CHECK(std::abs(hits.front().score - wanted.front().score) < 0.01F);
    }
    CHECK(sum / queries >= 0.99);
  }

  TEST_CASE("thousands of removals between searches: no removed piece is found") {
    for (const auto graph_from : {100'000UL, 1'000UL}) {
      auto from = clustered{16, 20, 13};
      auto pieces = pieces_of(ann, 12'000, from);
      auto index = make(16, vector_form::float32, graph_from);
      add_all(index, pieces);
      while (index.work()) {
      }
      auto random = std::mt19937{14};
      std::ranges::shuffle(pieces, random);
      for (auto i = 0; i < 10'000; ++i) {
        const auto gone = std::move(pieces.back());
        pieces.pop_back();
        REQUIRE(index.remove(ann, gone.id));
        CHECK_FALSE(index.vector_of(ann, gone.id).has_value());
        for (const auto& hit : found(index, ann, gone.vector, {}, 3))
          REQUIRE(hit.id != gone.id);
        if (i % 100 == 0)
          CHECK(found(index, ann, gone.vector, {}, 3).size() == 3);
      }
      CHECK(index.size().pieces == 2'000);
      auto sum = 0.0;
      for (auto i = 0; i < 50; ++i) {
        const auto query = from.next();
        const auto hits = found(index, ann, query);
        for (const auto& hit : hits)
          CHECK(std::ranges::find(pieces, hit.id, &embedded_piece::id) != pieces.end());
        sum += recall(hits, reference(pieces, query, {}, 10));
      }
      CHECK(sum / 50 >= 0.99);
      while (index.work()) {
      }
      // What is gone was left behind: not five times the memory of what is there.
      CHECK(index.size().bytes < 2 * 2'000 * (16 * 4 + 56 + 16 + 200));
    }
  }

  TEST_CASE("two indexes in two threads do not disturb each other") {
    const auto run = [](std::uint32_t seed) {
      auto from = clustered{32, 10, seed};
      const auto pieces = pieces_of(ann, 1'500, from);
      auto index = make(32, vector_form::float32, 500);
      add_all(index, pieces);
      auto sum = 0.0;
      for (auto i = 0; i < 20; ++i) {
        const auto query = from.next();
        sum += recall(found(index, ann, query), reference(pieces, query, {}, 10));
      }
      return sum / 20;
    };
    auto other = 0.0;
    {
      const auto thread = std::jthread{[&] { other = run(21); }};
      CHECK(run(22) >= 0.99);
    }
    CHECK(other >= 0.99);
  }
}

TEST_SUITE("index.graph") {
  TEST_CASE("recall of a graph is 0.99, alone and under every filter") {
    for (const auto form : {vector_form::float32, vector_form::int8}) {
      auto from = clustered{128, 40, 31};
      constexpr auto count = std::uint32_t{8'000};
      const auto pieces = pieces_of(ann, count, from);
      auto index = make(128, form, 1'000);
      add_all(index, pieces);
      while (index.work()) {
      }
      for (const auto& filter : filters_for(count)) {
        CHECK(mean_recall(index, pieces, from, filter, 25) >= 0.99);
      }
    }
  }

  TEST_CASE("crossing the limit: every piece is found at once, before and after") {
    auto from = clustered{24, 10, 32};
    const auto pieces = pieces_of(ann, 2'600, from);
    auto index = make(24, vector_form::float32, 2'000);
    for (const auto& piece : pieces) {
      REQUIRE(index.add(piece).has_value());
      if (piece.id.value % 5 == 0)
        CHECK(found(index, ann, piece.vector, {}, 1).front().id == piece.id);
    }
    while (index.work()) {
    }
    for (const auto& piece : pieces)
      CHECK(found(index, ann, piece.vector, {}, 1).front().id == piece.id);
  }

  TEST_CASE("a search among many of one message still finds k messages") {
    auto from = clustered{16, 1, 33};
    auto index = make(16, vector_form::float32, 500);
    const auto centre = from.next();
    auto pieces = std::vector<embedded_piece>{};
    for (auto i = std::uint32_t{1}; i <= 3'000; ++i) {
      auto piece = piece_of(ann, i, from.next());
      if (i % 2 == 0) { // half of all is one long text around the query
        piece.message = numbered<message_id>(1'000'000);
        auto close = centre;
        close[i % 16] += 0.001F;
        piece.vector = unit(std::move(close));
      }
      pieces.push_back(piece);
      REQUIRE(index.add(piece).has_value());
    }
    while (index.work()) {
    }
    const auto wanted = reference(pieces, centre, {}, 10);
    CHECK(recall(found(index, ann, centre), wanted) >= 0.9);
    CHECK(found(index, ann, centre).size() == 10);
  }

  TEST_CASE("all vectors the same: a graph finds k of them") {
    auto index = make(8, vector_form::int8, 300);
    const auto same = unit(std::vector<float>(8, 1));
    for (auto i = std::uint32_t{1}; i <= 2'000; ++i)
      REQUIRE(index.add(piece_of(ann, i, same)).has_value());
    while (index.work()) {
    }
    CHECK(found(index, ann, same, {}, 20).size() == 20);
  }

  TEST_CASE("a graph that shrinks to nothing and grows again stays right") {
    auto from = clustered{16, 5, 34};
    auto index = make(16, vector_form::float32, 400);
    auto first = std::uint32_t{1};
    for (auto round = 0; round < 3; ++round) {
      const auto pieces = pieces_of(ann, 1'000, from, first);
      first += 1'000;
      add_all(index, pieces);
      for (auto i = std::size_t{0}; i < 950; ++i)
        REQUIRE(index.remove(ann, pieces[i].id));
      const auto query = from.next();
      const auto hits = found(index, ann, query, {.since = pieces[950].said_at});
      check_same(hits, reference(std::span{pieces}.subspan(950), query, {}, 10));
      for (auto i = std::size_t{950}; i < 1'000; ++i)
        REQUIRE(index.remove(ann, pieces[i].id));
      CHECK(index.size().pieces == 0);
    }
  }
}

TEST_SUITE("index.budget") {
  TEST_CASE("those searched longest ago are dropped, and loaded again") {
    auto from = clustered{64, 5, 41};
    constexpr auto each = std::uint32_t{256};
    auto all = std::vector<std::vector<embedded_piece>>{};
    for (auto user = std::uint32_t{0}; user < 4; ++user)
      all.push_back(
          pieces_of(numbered<user_id>(user + 1), each, from, user * each + 1));
    // Three fit.
    auto index = make(64, vector_form::float32, 10'000,
                      3 * each * (64 * 4 + 72 + 56 + 16) + 4'096);
    for (auto user = std::size_t{0}; user < 3; ++user)
      add_all(index, all[user]);
    const auto query = from.next();
    const auto is_here = [&](std::uint32_t user) {
      return index.vector_of(numbered<user_id>(user), {(user - 1) * each + 1})
          .has_value();
    };
    for (const auto user : {2U, 3U, 1U})
      (void)found(index, numbered<user_id>(user), query);
    CHECK(index.size().dropped_users == 0);
    REQUIRE(index.load(numbered<user_id>(4), all[3]).has_value());
    CHECK_FALSE(is_here(2));
    CHECK(is_here(1));
    CHECK(is_here(3));
    CHECK(is_here(4));
    CHECK(index.size().dropped_users == 1);
    CHECK(index.size().pieces == 4 * each);
    CHECK(index.ids().size() == 4 * each);
    CHECK(index.ids().back().value == 4 * each);

    const auto missed = index.find(numbered<user_id>(2), query, {}, 10, any_score);
    REQUIRE(missed.has_value());
    CHECK_FALSE(missed->has_value());
    REQUIRE(index.load(numbered<user_id>(2), all[1]).has_value());
    check_same(found(index, numbered<user_id>(2), query),
               reference(all[1], query, {}, 10));
    CHECK_FALSE(is_here(3));
    CHECK(index.size().pieces == 4 * each);
  }

  TEST_CASE("a dropped user's pieces come and go, also while they are loaded") {
    auto from = clustered{64, 5, 42};
    auto pieces = pieces_of(ann, 100, from);
    auto index = make(64, vector_form::float32, 10'000, 1);
    add_all(index, pieces); // too much for this budget: only ids are kept
    CHECK(index.ids().size() == 100);
    CHECK(index.remove(ann, {7}));
    CHECK_FALSE(index.remove(ann, {7}));
    const auto query = from.next();
    CHECK_FALSE(index.find(ann, query, {}, 10, any_score)->has_value());
    const auto read_before = pieces; // has 7, 8, lacks 101
    CHECK(index.remove(ann, {8}));
    add_all(index, {piece_of(ann, 101, query)});
    std::erase_if(pieces, [](const auto& piece) { return piece.id.value == 7; });
    REQUIRE(index.load(ann, pieces).has_value());
    CHECK(found(index, ann, query, {}, 1).front().id.value == 101);
    for (const auto& hit : found(index, ann, query, {}, 1'000)) {
      CHECK(hit.id.value != 7);
      CHECK(hit.id.value != 8);
    }
    CHECK(index.size().pieces == 99);
    // The one that was searched stays, however small the budget; the next add ends it.
    (void)found(index, ann, query);
    REQUIRE(index.add(piece_of(ann, 102, query)).has_value());
    CHECK_FALSE(index.find(ann, query, {}, 1, any_score)->has_value());
    CHECK(index.ids().size() == 100);
  }

  TEST_CASE("a dropped user who loses the last piece is gone") {
    auto index = make(2, vector_form::float32, 10'000, 1);
    add_all(index, {piece_of(ann, 1, {1, 0})});
    SUBCASE("when nobody asked for the pieces") {
      CHECK(index.remove(ann, {1}));
    }
    SUBCASE("when they are loaded") {
      CHECK_FALSE(
          index.find(ann, std::vector{1.0F, 0.0F}, {}, 1, any_score)->has_value());
      CHECK(index.awaits(ann));
      CHECK(index.remove(ann, {1}));
      CHECK(index.size().users == 1);
      REQUIRE(index.load(ann, std::vector{piece_of(ann, 1, {1, 0})}).has_value());
    }
    SUBCASE("when nobody loads them") {
      CHECK_FALSE(
          index.find(ann, std::vector{1.0F, 0.0F}, {}, 1, any_score)->has_value());
      CHECK(index.remove(ann, {1}));
      index.give_up(ann);
    }
    CHECK(index.size().users == 0);
    CHECK(index.size().bytes == 0);
    CHECK_FALSE(index.awaits(ann));
    CHECK(found(index, ann, {1, 0}).empty());
  }

  TEST_CASE("what nobody loads is kept no more") {
    auto index = make(64, vector_form::float32, 10'000, 1);
    auto from = clustered{64, 5, 43};
    add_all(index, pieces_of(ann, 3, from));
    const auto before = index.size().bytes;
    CHECK_FALSE(index.find(ann, from.next(), {}, 1, any_score)->has_value());
    add_all(index, pieces_of(ann, 10, from, 4));
    CHECK(index.size().bytes > before + 10 * 64 * sizeof(float));
    index.give_up(ann);
    CHECK(index.size().bytes == before + 10 * sizeof(embedding_id));
    CHECK(index.size().pieces == 13);
    CHECK_FALSE(index.awaits(ann));
  }

  TEST_CASE("a removed user who was dropped is gone") {
    auto index = make(2, vector_form::float32, 10'000, 1);
    add_all(index, {piece_of(ann, 1, {1, 0})});
    CHECK(index.size().dropped_users == 1);
    index.remove_user(ann);
    CHECK(index.ids().empty());
    CHECK(found(index, ann, {1, 0}).empty());
    CHECK(index.size().bytes == 0);
  }
}
