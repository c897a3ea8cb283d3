#include "actors/memory_files.hpp"
#include "actors/search.hpp"
#include "memory_pieces.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

TEST_SUITE("actors.memory_files") {
  using namespace jessica;
  using namespace jessica::actors;
  using namespace jessica::test;

  /// A folder of its own that is not there yet.
  struct file_case {
    temp_folder home{"memory-files"};
    std::filesystem::path folder = home.path / "state";
    user_id user = user_id::make();

    [[nodiscard]] shard_options options() const {
      return {{}, folder / "index" / "shard-1-of-1"};
    }
    /// A shard with these pieces; what it still lacks of them.
    [[nodiscard]] std::vector<embedding_id> match(memory_shard& shard,
                                                  std::vector<std::int64_t> ids) const {
      auto rows = std::vector<owned_embedding>{};
      for (const auto id : ids)
        rows.push_back({{id}, user});
      auto missing = shard.match(small_model(), rows);
      REQUIRE(missing);
      return *missing;
    }
    void save(std::vector<std::int64_t> ids) const {
      auto shard = memory_shard{options()};
      CHECK(match(shard, {}).empty());
      for (const auto id : ids)
        shard.add(piece(id, user, static_cast<float>(id)));
      const auto state = shard.take_state();
      REQUIRE(state);
      REQUIRE(write_shard(*state, shard.file()));
    }
  };

  TEST_CASE_FIXTURE(file_case, "what was written is there at the next start") {
    save({1, 2, 3});
    auto next = memory_shard{options()};
    CHECK(match(next, {2, 3, 4}) == std::vector<embedding_id>{{4}});
    CHECK(next.rows() == std::vector<owned_embedding>{{{2}, user}, {{3}, user}});
    CHECK(next.unsaved() > 0); // the row that is gone
  }

  TEST_CASE_FIXTURE(file_case, "a file that is cut off, or of another model, is none") {
    save({1, 2, 3});
    SUBCASE("cut off") {
      std::filesystem::resize_file(options().file, 100);
      auto next = memory_shard{options()};
      CHECK(match(next, {1, 2}) == std::vector<embedding_id>{{1}, {2}});
      CHECK(next.take_state()); // even if nothing comes: the broken file goes
    }
    SUBCASE("of another model") {
      auto next = memory_shard{options()};
      const auto missing =
          next.match({2, "other", 2}, std::vector{owned_embedding{{1}, user}});
      REQUIRE(missing);
      CHECK(*missing == std::vector<embedding_id>{{1}});
    }
    SUBCASE("something else") {
      std::ofstream{options().file, std::ios::trunc} << "not an index";
      auto next = memory_shard{options()};
      CHECK(match(next, {1}) == std::vector<embedding_id>{{1}});
    }
  }

  TEST_CASE_FIXTURE(file_case, "nothing is written when nothing changed") {
    auto shard = memory_shard{options()};
    CHECK_FALSE(shard.take_state());
    CHECK(match(shard, {}).empty());
    CHECK_FALSE(shard.take_state());
    shard.add(piece(1, user, 0));
    CHECK(shard.take_state());
    CHECK_FALSE(shard.take_state());
  }

  TEST_CASE_FIXTURE(file_case, "two writers do not mix: the file is one of theirs") {
    auto ids = std::vector<std::int64_t>{};
    for (auto id = std::int64_t{1}; id <= 500; ++id)
      ids.push_back(id);
    const auto few = std::vector<std::int64_t>{1, 2, 3};
    auto one = std::jthread{[&] {
      for (auto i = 0; i < 10; ++i)
        save(ids);
    }};
    auto other = std::jthread{[&] {
      for (auto i = 0; i < 10; ++i)
        save(few);
    }};
    one.join();
    other.join();
    auto next = memory_shard{options()};
    const auto missing = match(next, ids).size();
    CHECK((missing == 0 || missing == ids.size() - few.size()));
  }

  TEST_CASE_FIXTURE(file_case, "files of other counts of shards are removed") {
    std::filesystem::create_directories(folder / "index");
    const auto goes = {"shard-1-of-2", "shard-2-of-2", "shard-2-of-2.lock",
                       "shard-2-of-2.draft", "shard-1-of-16"};
    const auto stays = {"shard-1-of-1.other", "shard-x-of-2", "shard-1-of-", "notes",
                        "shard-1-of-2.backup"};
    for (const auto& names : {goes, stays})
      for (const auto* name : names)
        std::ofstream{folder / "index" / name} << "something";
    save({1});
    for (const auto* name : goes)
      CHECK_FALSE(std::filesystem::exists(folder / "index" / name));
    for (const auto* name : stays)
      CHECK(std::filesystem::exists(folder / "index" / name));
    CHECK(std::filesystem::exists(options().file));
  }

  TEST_CASE_FIXTURE(file_case, "a folder that cannot be made is an error") {
    std::ofstream{folder} << "a file stands in the way";
    auto shard = memory_shard{options()};
    CHECK(match(shard, {}).empty());
    shard.add(piece(1, user, 0));
    const auto written = write_shard(*shard.take_state(), shard.file());
    REQUIRE_FALSE(written);
    CHECK(written.error().code == errc::unavailable);
  }

  TEST_CASE_FIXTURE(file_case, "a SEARCH that ends leaves its file behind") {
    {
      auto world = actor_world{};
      auto deps = search_deps{};
      deps.shard = options();
      const auto shard = world.own(world.sys().spawn(search, deps));
      REQUIRE(world.ask<rows_missing>(
          shard, match_rows{small_model(),
                            std::make_shared<const std::vector<owned_embedding>>(),
                            indexer_actor{}}));
      REQUIRE(world.ask<done>(shard, put_pieces{{piece(7, user, 0)}}));
    }
    auto next = memory_shard{options()};
    CHECK(match(next, {7}).empty());
  }
}
