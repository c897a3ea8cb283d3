#include "actors/errors.hpp"
#include "actors/room_messages.hpp"

#include <caf/exit_reason.hpp>
#include <caf/sec.hpp>
#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.errors");

using namespace jessica;

TEST_CASE("a domain error crosses a mailbox with all its parts") {
  auto sql = std::make_shared<const sql_fault>(sql_fault{"23505", "taken", "", ""});
  const auto sent = error{errc::conflict, "taken", "user_already_exists", sql};
  const auto got = actors::from_caf(actors::to_caf(sent));
  CHECK(got.code == errc::conflict);
  CHECK(got.what == "taken");
  CHECK(got.reason == "user_already_exists");
  REQUIRE(got.sql);
  CHECK(got.sql->sqlstate == "23505");
}

TEST_CASE("what CAF reports itself becomes a code a caller can act on") {
  CHECK(actors::from_caf(caf::make_error(caf::sec::request_timeout)).code ==
        errc::timeout);
  CHECK(actors::from_caf(caf::make_error(caf::sec::request_receiver_down)).code ==
        errc::unavailable);
  CHECK(actors::from_caf(caf::make_error(caf::exit_reason::user_shutdown)).code ==
        errc::unavailable);
  CHECK(actors::from_caf(caf::make_error(caf::sec::unexpected_message)).code ==
        errc::internal);
}

TEST_SUITE_END();
