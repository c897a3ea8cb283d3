#include "wire/problem.hpp"
#include "wire/quota.hpp"

#include <doctest/doctest.h>

#include <memory>

TEST_SUITE_BEGIN("wire.quota");

using namespace jessica;
using namespace jessica::wire;

namespace {

[[nodiscard]] error raised(std::string sqlstate, std::string message) {
  return {errc::internal,
          "x",
          {},
          std::make_shared<const sql_fault>(
              sql_fault{std::move(sqlstate), std::move(message), {}, {}})};
}

constexpr auto refusal = R"({"code":"quota_exceeded","message":"m","hint":null,)"
                         R"("details":"{\"code\":\"quota_exceeded\",)"
                         R"(\"limit\":\"replies_per_day\",\"retry_after\":7}"})";
constexpr auto inside =
    R"({"code":"quota_exceeded","limit":"replies_per_day","retry_after":7})";

} // namespace

TEST_CASE("what the database raised is what functions answer, with the time to wait") {
  const auto made = function_problem(raised("PGRST", refusal));
  CHECK(made.status == 429);
  CHECK(made.body == inside);
  CHECK(made.headers ==
        decltype(made.headers){{"Retry-After", "7"}}); // and no relay error
}

TEST_CASE("a channel reads it with a reason, as of every refusal") {
  const auto read = read_refusal(raised("PGRST", refusal));
  REQUIRE(read);
  CHECK(read->limit == "replies_per_day");
  CHECK(channel_refusal(*read) ==
        R"({"reason":"quota_exceeded","code":"quota_exceeded",)"
        R"("limit":"replies_per_day","retry_after":7})");
}

TEST_CASE("other errors are no refusals") {
  CHECK_FALSE(read_refusal({errc::overloaded, "full", "quota_exceeded", nullptr}));
  CHECK_FALSE(read_refusal(raised("P0001", refusal)));
  for (const auto* other :
       {"", "no JSON", "{}", R"({"code":"quota_exceeded"})",
        R"({"code":"else","details":"{}"})",
        R"({"code":"quota_exceeded","details":"{}"})",
        R"({"code":"quota_exceeded","details":"no JSON"})",
        R"({"code":"quota_exceeded","details":"{\"limit\":5,\"retry_after\":7}"})"})
    CHECK_MESSAGE(!read_refusal(raised("PGRST", other)), other);
}

TEST_SUITE_END();
