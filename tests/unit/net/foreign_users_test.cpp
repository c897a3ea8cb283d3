#include "net/foreign_users.hpp"
#include "net/recently.hpp"
#include "route_world.hpp"
#include "wire/trusted_issuer.hpp"

#include <doctest/doctest.h>

namespace jessica::test {
namespace {

constexpr auto issuer = std::string_view{"https://issuer.test/auth/v1"};

struct foreign_world : route_world {
  foreign_world() {
    grant.user.id = user_id{uuid::make()};
    with.credentials.trusted = std::make_shared<wire::trusted_issuer>(
        std::string{issuer}, "a secret of the issuer, long enough");
    enqueueing.say = [](const auto&) { return receipt{}; };
    welcoming.say = [](const auto&) { return actors::done{}; };
  }

  [[nodiscard]] std::string foreign_token() const {
    return wire::make_access_token(grant, with.credentials.trusted->secret(), issuer,
                                   now(), std::chrono::hours{1});
  }
  net::http_response call_as_foreign(std::string method, std::string_view target,
                                     std::string body = {}) {
    return ask(with_token(foreign_token(), std::move(method), target, std::move(body)));
  }
};

} // namespace

TEST_SUITE("net.foreign_users") {
  TEST_CASE_FIXTURE(foreign_world, "a foreign user is known before the first write") {
    const auto send = [this] {
      return call_as_foreign("POST", "/functions/v1/enqueue-inference",
                             R"({"content":"hello"})");
    };
    CHECK(send().status == 202);
    REQUIRE(welcoming.asked.has_value());
    CHECK(welcoming.asked->user == grant.user.id);
    CHECK(enqueueing.asked->what.author == grant.user.id);
    welcoming.asked.reset();
    CHECK(send().status == 202);
    CHECK_FALSE(welcoming.asked.has_value());
  }

  TEST_CASE_FIXTURE(foreign_world, "reading makes nobody known, nor do our own users") {
    rest_reading.say = [](const auto&) { return rest_reply{}; };
    (void)call_as_foreign("GET", "/rest/v1/messages?select=id");
    CHECK_FALSE(welcoming.asked.has_value());
    CHECK(ask(as_user("POST", "/functions/v1/enqueue-inference", R"({"content":"x"})"))
              .status == 202);
    CHECK_FALSE(welcoming.asked.has_value());
  }

  TEST_CASE_FIXTURE(foreign_world,
                    "a write waits for its user's row, or fails with it") {
    welcoming.say = [](const auto&) -> result<actors::done> {
      return fail(errc::unavailable, "connection refused");
    };
    const auto answer = call_as_foreign("POST", "/functions/v1/enqueue-inference",
                                        R"({"content":"hello"})");
    CHECK(answer.status == 503);
    CHECK_FALSE(enqueueing.asked.has_value());
  }

  TEST_CASE_FIXTURE(foreign_world, "accounts are ours: a foreign user has none here") {
    for (const auto& [method, target] :
         {std::pair{"GET", "/auth/v1/user"}, std::pair{"POST", "/auth/v1/logout"}}) {
      const auto answer = call_as_foreign(method, target);
      CHECK(answer.status == 403);
      CHECK(field(answer, "error_code") == "bad_jwt");
    }
    CHECK_FALSE(finding.asked.has_value());
    CHECK_FALSE(signing_out.asked.has_value());
  }

  TEST_CASE("what was seen lately is known until the stretch is over, within bounds") {
    using clock = net::recently<int>::clock;
    auto seen = net::recently<int>{std::chrono::seconds{5}, 2};
    const auto start = clock::time_point{} + std::chrono::hours{1};
    seen.see(1, start);
    CHECK(seen.saw(1, start + std::chrono::seconds{4}));
    CHECK_FALSE(seen.saw(1, start + std::chrono::seconds{5}));
    CHECK_FALSE(seen.saw(2, start));
    seen.see(2, start + std::chrono::seconds{4});
    seen.see(3, start + std::chrono::seconds{6}); // 1 is over and makes room
    CHECK(seen.saw(2, start + std::chrono::seconds{6}));
    CHECK(seen.saw(3, start + std::chrono::seconds{6}));
    seen.see(4, start + std::chrono::seconds{6}); // no room: all are forgotten
    CHECK_FALSE(seen.saw(2, start + std::chrono::seconds{6}));
    CHECK(seen.saw(4, start + std::chrono::seconds{6}));
  }
}

} // namespace jessica::test
