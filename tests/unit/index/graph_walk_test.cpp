#include "index/best_pieces.hpp"
#include "index/graph_walk.hpp"
#include "index/piece_search.hpp"
#include "tests/unit/index/clustered.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

using namespace jessica;
using namespace jessica::index;

namespace {

const auto user = numbered<user_id>(1);
constexpr auto dimensions = std::size_t{48};

/// Rows with a graph over them.
struct linked {
  vector_code code;
  graph_scratch scratch = {};
  std::vector<embedded_piece> pieces;
  piece_rows rows;

  linked(vector_form form, std::uint32_t count, clustered& from)
      : linked{form, pieces_of(user, count, from)} {}
  linked(vector_form form, std::vector<embedded_piece> of)
      : code{form, dimensions}, pieces{std::move(of)}, rows{code} {
    rows.start_graph();
    for (const auto& piece : pieces)
      rows.append(facts_of(piece), piece.vector, code);
    rows.link_some(code, scratch, pieces.size());
  }

  std::vector<memory_hit> walk(const std::vector<float>& query,
                               const memory_filter& filter) {
    const auto coded = code.query(query);
    const auto passing = piece_filter{filter};
    auto walk = graph_walk{rows, *rows.whole_graph(), coded, passing, scratch};
    REQUIRE(walk.run({.keep = 128, .distances = 2 * rows.size()}) != walk_end::gave_up);
    auto best = best_pieces{10, -2};
    for (const auto& [score, row] : scratch.best)
      best.offer(score, rows.facts(static_cast<std::size_t>(row)));
    reads = walk.distances();
    return std::move(best).take();
  }
  std::size_t reads = 0;    ///< of the last walk
  std::vector<float> often; ///< see with_equals
};

/// So many of the pieces, here and there, have the same vector.
linked with_equals(vector_form form, std::uint32_t count, std::uint32_t equals,
                   clustered& from) {
  auto pieces = pieces_of(user, count, from);
  auto often = from.next();
  for (auto i = std::uint32_t{0}; i < equals; ++i)
    pieces[i * (count / equals) + 3].vector = often;
  auto made = linked{form, std::move(pieces)};
  made.often = std::move(often);
  return made;
}

/// Of queries near the equal ones, any of which will do.
template <class Search>
double recall_near_equals(const linked& all, clustered& from, Search search) {
  constexpr auto queries = 200;
  auto sum = 0.0;
  auto others = 0;
  for (auto i = 0; i < queries; ++i) {
    auto query = from.next();
    for (auto at = std::size_t{0}; at < dimensions; ++at)
      query[at] += all.often[at];
    query = unit(std::move(query));
    const auto wanted = reference(all.pieces, query, {}, 10);
    const auto rounding = all.code.form() == vector_form::int8 ? 0.005F : 1e-5F;
    const auto least = wanted.back().score - rounding;
    sum +=
        static_cast<double>(std::ranges::count_if(
            search(query), [&](const memory_hit& hit) { return hit.score >= least; })) /
        static_cast<double>(wanted.size());
    others +=
        static_cast<int>(std::ranges::count_if(wanted, [&](const memory_hit& hit) {
          return all.pieces[static_cast<std::size_t>(hit.id.value) - 1].vector !=
                 all.often;
        }));
  }
  CHECK(others > queries); // the equal ones are not all that is wanted
  return sum / queries;
}

} // namespace

TEST_SUITE("index.graph_walk") {
  TEST_CASE("a filter costs no recall: a walk goes on until enough pass") {
    for (const auto form : {vector_form::float32, vector_form::int8}) {
      auto from = clustered{dimensions, 30, 61};
      constexpr auto count = std::uint32_t{4'000};
      auto all = linked{form, count, from};
      REQUIRE(all.rows.whole_graph() != nullptr);
      for (const auto passing : {count, count / 2, count / 10, count / 50}) {
        const auto filter = memory_filter{.since = at_second(count - passing + 1)};
        auto sum = 0.0;
        for (auto i = 0; i < 40; ++i) {
          const auto query = from.next();
          sum +=
              recall(all.walk(query, filter), reference(all.pieces, query, filter, 10));
        }
        CAPTURE(passing);
        // With 48 dimensions int8 swaps a few that are equally near.
        CHECK(sum / 40 >= (form == vector_form::int8 ? 0.98 : 0.99));
      }
    }
  }

  TEST_CASE("a walk reads a part of the rows, and gives up when told to") {
    auto from = clustered{dimensions, 30, 62};
    auto all = linked{vector_form::float32, 6'000, from};
    const auto code = all.code.query(from.next());
    const auto open = piece_filter{{}};
    auto walk = graph_walk{all.rows, *all.rows.whole_graph(), code, open, all.scratch};
    CHECK(walk.run({.keep = 32, .distances = 6'000}) == walk_end::nothing_better);
    CHECK(walk.distances() < 3'000);
    auto hurried =
        graph_walk{all.rows, *all.rows.whole_graph(), code, open, all.scratch};
    CHECK(hurried.run({.keep = 32, .distances = 50}) == walk_end::gave_up);
    CHECK(hurried.distances() < 200);
  }

  TEST_CASE("rows that are gone are walked over, and never kept") {
    auto from = clustered{dimensions, 10, 63};
    auto all = linked{vector_form::float32, 2'000, from};
    for (auto row = std::size_t{0}; row < 2'000; ++row)
      if (row % 4 != 0)
        all.rows.mark_gone(row);
    auto left = std::vector<embedded_piece>{};
    for (auto row = std::size_t{0}; row < 2'000; row += 4)
      left.push_back(all.pieces[row]);
    for (auto i = 0; i < 20; ++i) {
      const auto query = from.next();
      const auto hits = all.walk(query, {});
      CHECK(recall(hits, reference(left, query, {}, 10)) >= 0.9);
      for (const auto& hit : hits)
        CHECK(hit.id.value % 4 == 1); // row 0 is piece 1
    }
  }

  TEST_CASE("more than 250 walks: marks of earlier ones do not count") {
    auto from = clustered{dimensions, 5, 64};
    auto all = linked{vector_form::float32, 300, from};
    for (auto i = 0; i < 600; ++i) {
      const auto query = from.next();
      CHECK(recall(all.walk(query, {}), reference(all.pieces, query, {}, 10)) == 1);
    }
  }

  TEST_CASE("equal vectors are no corner without a way out") {
    auto from = clustered{dimensions, 30, 67};
    auto all = with_equals(vector_form::float32, 6'000, 100, from);
    auto reads = std::size_t{0};
    const auto found = recall_near_equals(all, from, [&](const auto& query) {
      auto hits = all.walk(query, {});
      reads += all.reads;
      return hits;
    });
    CHECK(found >= 0.98);
    CHECK(reads / 200 < 3'000);
  }

  TEST_CASE("equal vectors hide nothing, be they few or more than a walk keeps") {
    for (const auto form : {vector_form::float32, vector_form::int8})
      for (const auto equals : {1U, 30U, 60U, 100U, 300U, 1'000U}) {
        CAPTURE(equals);
        auto from = clustered{dimensions, 30, 69};
        auto all = with_equals(form, 6'000, equals, from);
        const auto open = piece_filter{{}};
        CHECK(recall_near_equals(all, from, [&](const auto& query) {
                const auto coded = all.code.query(query);
                return search_pieces(all.rows, {coded, open, 10, -2, true},
                                     all.scratch);
              }) >= 0.985);
      }
  }

  TEST_CASE("rows that no link leads to are found by reading all") {
    auto from = clustered{dimensions, 1, 68};
    auto all = linked{vector_form::float32, 400, from};
    const auto& graph = *all.rows.whole_graph();
    const auto levels =
        std::vector<std::int32_t>{graph.levels().begin(), graph.levels().end()};
    auto links = std::vector<std::int32_t>(graph.links().size(), -1);
    all.rows.take_graph(std::make_shared<link_graph>(
        *link_graph::opened(levels, links, graph.entry(), nullptr)));
    const auto query = all.code.query(all.pieces[321].vector);
    const auto open = piece_filter{{}};
    const auto hits = search_pieces(all.rows, {query, open, 1, -2, true}, all.scratch);
    REQUIRE(hits.size() == 1);
    CHECK(hits.front().id == all.pieces[321].id);
  }

  TEST_CASE("rows linked after some were skipped are found") {
    auto from = clustered{dimensions, 5, 65};
    const auto pieces = pieces_of(user, 400, from);
    const auto code = vector_code{vector_form::float32, dimensions};
    auto scratch = graph_scratch{};
    auto rows = piece_rows{code};
    for (const auto& piece : pieces)
      rows.append(facts_of(piece), piece.vector, code);
    for (auto row = std::size_t{0}; row < 100; ++row) // also the very first
      rows.mark_gone(row);
    rows.start_graph();
    CHECK(rows.whole_graph() == nullptr);
    CHECK(rows.link_some(code, scratch, 399));
    CHECK(rows.whole_graph() == nullptr);
    CHECK_FALSE(rows.link_some(code, scratch, 5));
    REQUIRE(rows.whole_graph() != nullptr);
    for (auto row = std::size_t{100}; row < 400; ++row) {
      const auto query = code.query(pieces[row].vector);
      const auto open = piece_filter{{}};
      const auto hits = search_pieces(rows, {query, open, 1, -2, true}, scratch);
      REQUIRE(hits.size() == 1);
      CHECK(hits.front().id == pieces[row].id);
    }
  }

  TEST_CASE("links that lead out of the graph are refused") {
    auto from = clustered{dimensions, 5, 66};
    auto all = linked{vector_form::float32, 50, from};
    const auto& graph = *all.rows.whole_graph();
    auto levels =
        std::vector<std::int32_t>{graph.levels().begin(), graph.levels().end()};
    auto links = std::vector<std::int32_t>{graph.links().begin(), graph.links().end()};
    const auto opens = [&](std::int32_t entry) {
      return link_graph::opened(levels, links, entry, nullptr).has_value();
    };
    CHECK(opens(graph.entry()));
    CHECK_FALSE(opens(50));
    links[7] = 50;
    CHECK_FALSE(opens(graph.entry()));
    links[7] = -2;
    CHECK_FALSE(opens(graph.entry()));
    links[7] = -1;
    levels[3] = 0;
    CHECK_FALSE(opens(graph.entry()));
    levels[3] = 1'000'000;
    CHECK_FALSE(opens(graph.entry()));
  }
}
