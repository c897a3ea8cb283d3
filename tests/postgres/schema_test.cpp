#include "storage/migrate.hpp"
#include "storage/session.hpp"
#include "tests/fixtures/temp_postgres.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>

TEST_SUITE("storage.schema") {
  using namespace jessica;

  TEST_CASE("the schema keeps its promises") {
    const auto where = test::empty_database("schema");
    const auto done =
        storage::migrate(where, storage::migrations(), std::chrono::seconds{30});
    REQUIRE_MESSAGE(done, (done ? "" : done.error().what));

    auto file = std::ifstream{TEST_SOURCE_DIR "/postgres/schema_tests.sql"};
    const auto script = std::string{std::istreambuf_iterator<char>{file}, {}};
    REQUIRE_FALSE(script.empty());
    const auto open = storage::open_session(where, storage::role::migrations);
    REQUIRE(open);
    const auto ran = storage::execute(open->get(), script);
    CHECK_MESSAGE(ran, (ran ? "" : ran.error().what));
  }
}
