#include "storage/server_fitness.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using storage::check_fitness;

TEST_SUITE("storage.server_fitness") {
  TEST_CASE("PostgreSQL 17 and newer with pgvector will do") {
    CHECK(check_fitness({.major = 17, .hosted = false, .has_vector = true}));
    CHECK(check_fitness({.major = 18, .hosted = false, .has_vector = true}));
  }

  TEST_CASE("an older one is refused, unless it is a hosted project's") {
    const auto old = check_fitness({.major = 15, .hosted = false, .has_vector = true});
    REQUIRE_FALSE(old);
    CHECK(old.error().code == errc::invalid_input);
    CHECK(old.error().what.contains("PostgreSQL 15"));
    CHECK(old.error().what.contains("17 or newer"));
    CHECK(check_fitness({.major = 15, .hosted = true, .has_vector = true}));
  }

  TEST_CASE("without pgvector the package to install is named") {
    const auto bare =
        check_fitness({.major = 17, .hosted = false, .has_vector = false});
    REQUIRE_FALSE(bare);
    CHECK(bare.error().code == errc::invalid_input);
    CHECK(bare.error().what.contains("postgresql-17-pgvector"));
  }
}

} // namespace
