#include "index/snapshot_file.hpp"
#include "index/vector_index.hpp"
#include "tests/fixtures/temp_folder.hpp"
#include "tests/unit/index/clustered.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

using namespace jessica;
using namespace jessica::index;

namespace {

namespace fs = std::filesystem;

constexpr auto any_score = -2.0F;
constexpr auto dimensions = std::size_t{24};

struct folder : test::temp_folder {
  folder() : temp_folder("index") {}
  [[nodiscard]] fs::path operator/(std::string_view name) const { return path / name; }
};

index_options options(vector_form form = vector_form::float32) {
  return {.model = "model-a",
          .dimensions = dimensions,
          .form = form,
          .graph_from = 500,
          .always_walk = true};
}

user_id user_number(std::uint32_t number) {
  return numbered<user_id>(number);
}

/// User 1 has a graph, 2 and 3 do not; some pieces of each are removed.
struct world {
  std::vector<std::vector<embedded_piece>> pieces;
  vector_index index;

  explicit world(const index_options& how, std::uint32_t of_first = 700)
      : index{*vector_index::make(how)} {
    auto from = clustered{dimensions, 10, 51};
    auto next = std::uint32_t{1};
    for (const auto count : {of_first, 90U, 5U}) {
      pieces.push_back(
          pieces_of(user_number(std::uint32_t(pieces.size()) + 1), count, from, next));
      next += count;
      for (const auto& piece : pieces.back())
        REQUIRE(index.add(piece).has_value());
      REQUIRE(index.remove(pieces.back().front().user, pieces.back().front().id));
      pieces.back().erase(pieces.back().begin());
    }
    while (index.work()) {
    }
  }
};

void write(const vector_index& index, const fs::path& file) {
  const auto written = vector_index::write(*index.freeze(), file);
  REQUIRE(written.has_value());
}

/// As long as they are there: damaged users answer nothing, others what they should.
void check_answers(vector_index& index, const world& was, std::size_t& right,
                   std::size_t& dropped) {
  for (const auto& pieces : was.pieces) {
    const auto hits =
        index.find(pieces.front().user, pieces.back().vector, {}, 10, any_score);
    REQUIRE(hits.has_value());
    if (!hits->has_value()) {
      ++dropped;
      continue;
    }
    ++right;
    const auto wanted = reference(pieces, pieces.back().vector, {}, 10);
    CHECK(recall(**hits, wanted) >= 0.9);
    REQUIRE((*hits)->size() == wanted.size());
    for (auto i = std::size_t{0}; i < wanted.size(); ++i)
      CHECK((**hits)[i].score ==
            doctest::Approx(wanted[i].score).epsilon(0.05).scale(1));
  }
}

std::string contents(const fs::path& file) {
  auto stream = std::ifstream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

void put(const fs::path& file, std::string_view bytes) {
  std::ofstream{file, std::ios::binary | std::ios::trunc}.write(
      bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace

TEST_SUITE("index.snapshot_file") {
  TEST_CASE("what was written is opened again, graph and all") {
    for (const auto form : {vector_form::float32, vector_form::int8}) {
      const auto where = folder{};
      auto was = world{options(form)};
      write(was.index, where / "index");
      auto opened = vector_index::open(options(form), where / "index");
      REQUIRE(opened.has_value());
      CHECK(opened->ids() == was.index.ids());
      CHECK(opened->size().pieces == was.index.size().pieces);
      CHECK(opened->size().users == 3);
      auto right = std::size_t{0};
      auto dropped = std::size_t{0};
      check_answers(*opened, was, right, dropped);
      CHECK(right == 3);
      for (const auto& pieces : was.pieces)
        for (const auto& piece : pieces)
          CHECK(opened->vector_of(piece.user, piece.id) ==
                was.index.vector_of(piece.user, piece.id));
      CHECK_FALSE(opened->work()); // the graph came with the file
      CHECK_FALSE(opened->vector_of(user_number(1), {1}).has_value());
      CHECK_FALSE(fs::exists(where / "index.draft"));
    }
  }

  TEST_CASE("sketches are opened with their vectors") {
    const auto where = folder{};
    const auto how =
        index_options{.model = "m", .dimensions = 256, .form = vector_form::float32};
    auto from = clustered{256, 10, 57};
    auto index = vector_index::make(how);
    const auto user = user_number(1);
    const auto pieces = pieces_of(user, 600, from);
    for (const auto& piece : pieces)
      REQUIRE(index->add(piece).has_value());
    for (auto i = std::size_t{0}; i < 50; ++i) // leaves gaps, which the file has not
      REQUIRE(index->remove(user, pieces[i * 7].id));
    write(*index, where / "file");
    auto opened = vector_index::open(how, where / "file");
    REQUIRE(opened.has_value());
    for (auto i = 0; i < 20; ++i) {
      const auto query = from.next();
      const auto before = index->find(user, query, {}, 10, any_score);
      const auto after = opened->find(user, query, {}, 10, any_score);
      REQUIRE((*before)->size() == (*after)->size());
      for (auto at = std::size_t{0}; at < (*after)->size(); ++at)
        CHECK((**before)[at].id == (**after)[at].id);
    }
  }

  TEST_CASE("linking that a file did not see the end of goes on after a search") {
    const auto where = folder{};
    auto index = *vector_index::make(options());
    auto from = clustered{dimensions, 10, 58};
    for (const auto& piece : pieces_of(user_number(1), 510, from))
      REQUIRE(index.add(piece).has_value());
    write(index, where / "index");
    auto opened = vector_index::open(options(), where / "index");
    REQUIRE(opened.has_value());
    CHECK_FALSE(opened->work()); // nobody looked at it yet
    const auto size = opened->size().bytes;
    REQUIRE(opened->find(user_number(1), from.next(), {}, 1, any_score)->has_value());
    CHECK(opened->work());
    while (opened->work()) {
    }
    CHECK(opened->size().bytes > size);
    CHECK_FALSE(opened->work());
  }

  TEST_CASE("vectors stay in the file until their user is searched") {
    const auto where = folder{};
    auto was = world{options()};
    write(was.index, where / "index");
    auto opened = vector_index::open(options(), where / "index");
    REQUIRE(opened.has_value());
    const auto vectors = std::size_t{790} * dimensions * sizeof(float);
    CHECK(opened->size().bytes + vectors < was.index.size().bytes);
    const auto before = opened->size().bytes;
    (void)opened->find(user_number(1), was.pieces[0].back().vector, {}, 1, any_score);
    CHECK(opened->size().bytes >= before + 690 * dimensions * sizeof(float));
  }

  TEST_CASE("an opened index goes on: adds, removals, a further snapshot of it") {
    const auto where = folder{};
    auto was = world{options()};
    write(was.index, where / "index");
    auto from = clustered{dimensions, 10, 52};
    for (auto round = std::uint32_t{0}; round < 3; ++round) {
      auto opened = vector_index::open(options(), where / "index");
      REQUIRE(opened.has_value());
      for (auto& pieces : was.pieces) {
        const auto user = pieces.front().user;
        for (const auto& piece : pieces_of(
                 user, 40, from, 10'000 + round * 1'000 + user.value.bytes[15] * 50)) {
          REQUIRE(opened->add(piece).has_value());
          pieces.push_back(piece);
        }
        REQUIRE(opened->remove(user, pieces.front().id));
        pieces.erase(pieces.begin());
      }
      auto right = std::size_t{0};
      auto dropped = std::size_t{0};
      check_answers(*opened, was, right, dropped);
      CHECK(right == 3);
      write(*opened, where / "index"); // over the file that it has mapped
      check_answers(*opened, was, right, dropped);
      CHECK(right == 6);
    }
  }

  TEST_CASE("a removal before the vectors were read is in the next snapshot") {
    const auto where = folder{};
    auto was = world{options()};
    write(was.index, where / "index");
    auto opened = vector_index::open(options(), where / "index");
    REQUIRE(opened.has_value());
    for (auto& pieces : was.pieces) {
      REQUIRE(opened->remove(pieces.front().user, pieces.back().id));
      pieces.pop_back();
    }
    write(*opened, where / "again");
    auto again = vector_index::open(options(), where / "again");
    REQUIRE(again.has_value());
    CHECK(again->ids() == opened->ids());
    auto right = std::size_t{0};
    auto dropped = std::size_t{0};
    check_answers(*again, was, right, dropped);
    CHECK(right == 3);
  }

  TEST_CASE("dropped users are in the file as ids") {
    const auto where = folder{};
    auto how = options();
    auto was = world{how};
    how.budget_bytes = 1;
    auto small = *vector_index::make(how);
    for (const auto& piece : was.pieces[1])
      REQUIRE(small.add(piece).has_value());
    CHECK(small.size().dropped_users == 1);
    write(small, where / "index");
    auto opened = vector_index::open(options(), where / "index");
    REQUIRE(opened.has_value());
    CHECK(opened->ids() == small.ids());
    const auto& pieces = was.pieces[1];
    CHECK_FALSE(
        opened->find(user_number(2), pieces[0].vector, {}, 1, any_score)->has_value());
    REQUIRE(opened->load(user_number(2), pieces).has_value());
    CHECK((*opened->find(user_number(2), pieces[0].vector, {}, 1, any_score))
              ->front()
              .id == pieces[0].id);
  }

  TEST_CASE(
      "a snapshot is of the moment it was taken, written while the index changes") {
    const auto where = folder{};
    auto was = world{options()};
    const auto then = was.index.freeze();
    const auto ids = was.index.ids();
    auto from = clustered{dimensions, 10, 53};
    {
      const auto writer = std::jthread{
          [&] { CHECK(vector_index::write(*then, where / "index").has_value()); }};
      for (auto& pieces : was.pieces) {
        const auto user = pieces.front().user;
        for (auto i = std::size_t{0}; i + 1 < pieces.size(); i += 2)
          REQUIRE(was.index.remove(user, pieces[i].id));
        for (const auto& piece :
             pieces_of(user, 300, from, 20'000 + user.value.bytes[15] * 1'000U))
          REQUIRE(was.index.add(piece).has_value());
      }
      was.index.remove_user(user_number(3));
    }
    auto opened = vector_index::open(options(), where / "index");
    REQUIRE(opened.has_value());
    CHECK(opened->ids() == ids);
    auto right = std::size_t{0};
    auto dropped = std::size_t{0};
    check_answers(*opened, was, right, dropped);
    CHECK(right == 3);
  }

  TEST_CASE("an empty index can be written and opened") {
    const auto where = folder{};
    write(*vector_index::make(options()), where / "index");
    const auto opened = vector_index::open(options(), where / "index");
    REQUIRE(opened.has_value());
    CHECK(opened->ids().empty());
  }

  TEST_CASE("another model, form or size is a conflict; no file is not found") {
    const auto where = folder{};
    auto was = world{options()};
    write(was.index, where / "index");
    auto other = options();
    other.model = "model-b";
    CHECK(vector_index::open(other, where / "index").error().code == errc::conflict);
    CHECK(
        vector_index::open(options(vector_form::int8), where / "index").error().code ==
        errc::conflict);
    other = options();
    other.dimensions = 25;
    CHECK(vector_index::open(other, where / "index").error().code == errc::conflict);
    CHECK(vector_index::open(options(), where / "none").error().code ==
          errc::not_found);
  }

  TEST_CASE("a file that cannot be written is said, and the old one stays") {
    const auto where = folder{};
    auto was = world{options()};
    CHECK(vector_index::write(*was.index.freeze(), where / "no/folder/index")
              .error()
              .code == errc::unavailable);
    fs::create_directory(where / "index"); // cannot be renamed over
    CHECK(vector_index::write(*was.index.freeze(), where / "index").error().code ==
          errc::unavailable);
    CHECK_FALSE(fs::exists(where / "index.draft"));
  }

  TEST_CASE("a file that ends early is found out, wherever it ends") {
    const auto where = folder{};
    auto was = world{options()};
    write(was.index, where / "index");
    const auto whole = contents(where / "index");
    for (auto part = std::size_t{0}; part < 50; ++part) {
      CAPTURE(part);
      put(where / "short", std::string_view{whole}.substr(0, whole.size() * part / 50));
      CHECK(vector_index::open(options(), where / "short").error().code ==
            errc::invalid_input);
    }
    put(where / "short", std::string_view{whole}.substr(0, whole.size() - 1));
    CHECK(vector_index::open(options(), where / "short").error().code ==
          errc::invalid_input);
    put(where / "long", whole + '\0');
    CHECK(vector_index::open(options(), where / "long").error().code ==
          errc::invalid_input);
  }

  TEST_CASE("a bit that flips is found out before its vector is searched") {
    for (const auto form : {vector_form::float32, vector_form::int8}) {
      const auto where = folder{};
      const auto was = world{options(form), 520};
      write(was.index, where / "index");
      const auto whole = contents(where / "index");
      auto refused = std::size_t{0};
      auto right = std::size_t{0};
      auto dropped = std::size_t{0};
      // Every bit of head and directory would take long: a prime step meets all parts.
      for (auto at = std::size_t{0}; at < whole.size(); at += at < 320 ? 1 : 211) {
        auto flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
        put(where / "flipped", flipped);
        auto opened = vector_index::open(options(form), where / "flipped");
        if (!opened) {
          ++refused;
          CHECK((opened.error().code == errc::invalid_input ||
                 opened.error().code == errc::conflict));
          continue;
        }
        const auto before = dropped;
        check_answers(*opened, was, right, dropped);
        CHECK(dropped - before <= 1);
        CHECK(opened->size().damaged_users == dropped - before);
        CHECK(opened->ids() == was.index.ids());
      }
      CHECK(refused > 320);
      CHECK(dropped > 50);
    }
  }

  TEST_CASE("damage is not written into the next snapshot as if it were right") {
    const auto where = folder{};
    auto was = world{options()};
    write(was.index, where / "index");
    auto bytes = contents(where / "index");
    // The vectors of a user lie as they are in memory.
    const auto vector = was.pieces[1][10].vector;
    const auto place = bytes.find(std::string_view{
        reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
    REQUIRE(place != std::string::npos);
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    put(where / "index", bytes);
    auto opened = vector_index::open(options(), where / "index");
    REQUIRE(opened.has_value());
    write(*opened, where / "next");
    auto next = vector_index::open(options(), where / "next");
    REQUIRE(next.has_value());
    CHECK(next->ids() == was.index.ids());
    CHECK(next->size().dropped_users == 1);
    CHECK_FALSE(next->find(user_number(2), vector, {}, 1, any_score)->has_value());
  }
}
