#include "actors/changefeed.hpp"

#include <doctest/doctest.h>

TEST_SUITE("actors.changefeed") {
  using namespace jessica;
  using namespace jessica::actors;

  TEST_CASE("jobs and ticks say: look for jobs") {
    CHECK(std::holds_alternative<jobs_ready>(read_wake("jobs")));
    CHECK(std::holds_alternative<jobs_ready>(read_wake("tick")));
  }

  TEST_CASE("texts that wait for vectors are told of") {
    CHECK(std::holds_alternative<texts_due>(read_wake("embed")));
  }

  TEST_CASE("a cancel names its job") {
    const auto wake = read_wake("cancel 4711");
    REQUIRE(std::holds_alternative<job_id>(wake));
    CHECK(std::get<job_id>(wake) == job_id{4711});
  }

  TEST_CASE("another embedding model is told") {
    CHECK(std::holds_alternative<model_changed>(read_wake("model")));
  }

  TEST_CASE("what became of a login is passed on") {
    const auto user = user_id::make();
    const auto wake = read_wake("let_in " + user.str());
    REQUIRE(std::holds_alternative<access_change>(wake));
    CHECK(std::get<access_change>(wake).who.user == user);
  }

  TEST_CASE("what nobody sends means nothing") {
    for (const auto* text : {"", "job", "jobs ", "cancel", "cancel ", "cancel x",
                             "cancel 1x", "cancel 99999999999999999999"})
      CHECK_MESSAGE(std::holds_alternative<std::monostate>(read_wake(text)), text);
  }
}
