#include "storage/statement_cache.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_SUITE("storage.statement_cache") {
  using jessica::storage::statement_cache;
  using names = std::vector<std::string>;

  TEST_CASE("a text is prepared once") {
    auto cache = statement_cache{4};
    const auto first = cache.use("select 1");
    const auto again = cache.use("select 1");
    CHECK(first.fresh);
    CHECK_FALSE(again.fresh);
    CHECK(again.name == first.name);
    CHECK(cache.use("select 2").name != first.name);
  }

  TEST_CASE("what was not used for longest goes") {
    auto cache = statement_cache{2};
    const auto a = cache.use("a");
    const auto b = cache.use("b");
    (void)cache.use("a");
    (void)cache.use("c");
    CHECK(cache.size() == 2);
    CHECK(cache.take_evicted() == names{b.name});
    CHECK(cache.take_evicted().empty());
    CHECK_FALSE(cache.use("a").fresh);
    CHECK(cache.use("b").fresh);
    CHECK(a.name != cache.use("b").name);
  }

  TEST_CASE("all may be given up at once") {
    auto cache = statement_cache{3};
    const auto a = cache.use("a");
    const auto b = cache.use("b");
    cache.give_up();
    CHECK(cache.size() == 0);
    CHECK(cache.take_evicted() == names{b.name, a.name});
    CHECK(cache.use("a").fresh);
  }

  TEST_CASE("a text that was forgotten gets a new name") {
    auto cache = statement_cache{2};
    const auto a = cache.use("a");
    cache.forget("a");
    cache.forget("never seen");
    const auto again = cache.use("a");
    CHECK(again.fresh);
    CHECK(again.name != a.name);
    CHECK(cache.take_evicted().empty());
  }

  TEST_CASE("a lost session leaves nothing, and no name is used twice") {
    auto cache = statement_cache{1};
    const auto a = cache.use("a");
    const auto b = cache.use("b");
    cache.clear();
    CHECK(cache.size() == 0);
    CHECK(cache.take_evicted().empty());
    const auto again = cache.use("a");
    CHECK(again.fresh);
    CHECK(again.name != a.name);
    CHECK(again.name != b.name);
  }
}
