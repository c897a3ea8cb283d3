#include "bench/load/sign_ins.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace jessica::bench;
using namespace std::chrono_literals;

TEST_SUITE("bench.sign_ins") {
  TEST_CASE("sessions and refusals of the queue are counted and timed apart") {
    auto score = sign_in_score{};
    score.take(200, R"({"access_token":"a.b.c","token_type":"bearer"})", 30ms);
    score.take(429, R"({"code":"over_request_rate_limit"})", 1ms);
    CHECK(score.waited.count() == 1);
    CHECK(score.waited.percentile(1) == 30ms);
    CHECK(score.refused_after.count() == 1);
    CHECK(score.refused_after.percentile(1) == 1ms);
    CHECK(score.wrong == 0);
  }

  TEST_CASE("any other answer is wrong, also a 200 that brings no token") {
    auto score = sign_in_score{};
    score.take(400, R"({"code":"invalid_credentials"})", 1ms);
    score.take(503, "", 1ms);
    score.take(0, "", 1ms);
    score.take(200, R"({"user":{}})", 1ms);
    CHECK(score.wrong == 4);
    CHECK(score.waited.count() == 0);
    CHECK(score.refused_after.count() == 0);
  }
}
