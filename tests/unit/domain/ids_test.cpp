#include "domain/ids.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <vector>

TEST_SUITE_BEGIN("domain.ids");

namespace jessica {
namespace {

constexpr auto canonical = std::string_view{"01890a5d-ac96-774b-bcce-b302099a8057"};

[[nodiscard]] std::int64_t unix_millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

[[nodiscard]] std::int64_t millis_of(const uuid& id) {
  auto millis = std::int64_t{0};
  for (auto i = std::size_t{0}; i < 6; ++i)
    millis = millis << 8 | id.bytes[i];
  return millis;
}

TEST_CASE("the canonical form is read and written unchanged") {
  const auto id = uuid::parse(canonical);
  REQUIRE(id.has_value());
  CHECK(id->str() == canonical);
  CHECK(id->bytes[0] == 0x01);
  CHECK(id->bytes[15] == 0x57);
}

TEST_CASE("upper case is read and written as lower case") {
  const auto id = uuid::parse("01890A5D-AC96-774B-BCCE-B302099A8057");
  REQUIRE(id.has_value());
  CHECK(id->str() == canonical);
}

TEST_CASE("every other spelling is refused") {
  CHECK_FALSE(uuid::parse(""));
  CHECK_FALSE(uuid::parse("01890a5dac96774bbcceb302099a8057"));
  CHECK_FALSE(uuid::parse("{01890a5d-ac96-774b-bcce-b302099a8057}"));
  CHECK_FALSE(uuid::parse("01890a5d-ac96-774b-bcce-b302099a805"));
  CHECK_FALSE(uuid::parse("01890a5d-ac96-774b-bcce-b302099a80577"));
  CHECK_FALSE(uuid::parse(" 1890a5d-ac96-774b-bcce-b302099a8057"));
  CHECK_FALSE(uuid::parse("01890a5dxac96-774b-bcce-b302099a8057"));
  CHECK_FALSE(uuid::parse("01890a5d-ac96-774b-bcce-b302099a805\n"));
}

TEST_CASE("one wrong character anywhere is refused") {
  for (auto i = std::size_t{0}; i < canonical.size(); ++i) {
    for (const auto wrong : {'g', 'G', '/', ':', '@', '`', '\0', '\xff'}) {
      auto text = std::string{canonical};
      text[i] = wrong;
      CAPTURE(i);
      CHECK_FALSE(uuid::parse(text));
    }
  }
}

TEST_CASE("the zero id means none") {
  CHECK(uuid{}.none());
  CHECK(user_id{}.none());
  CHECK(uuid::parse("00000000-0000-0000-0000-000000000000")->none());
  CHECK_FALSE(uuid::parse("00000000-0000-0000-0000-000000000001")->none());
}

TEST_CASE("a made id has version 7 and the variant of RFC 9562") {
  const auto text = uuid::make().str();
  CHECK(text[14] == '7');
  CHECK(std::string_view{"89ab"}.contains(text[19]));
}

TEST_CASE("a made id starts with the time it was made at") {
  const auto before = unix_millis();
  const auto made = millis_of(uuid::make());
  const auto after = unix_millis();
  CHECK(made >= before);
  CHECK(made <= after);
}

TEST_CASE("an id of a later millisecond sorts behind, as value and as text") {
  const auto earlier = uuid::make();
  auto later = uuid::make();
  while (millis_of(later) <= millis_of(earlier))
    later = uuid::make();
  CHECK(earlier < later);
  CHECK(earlier.str() < later.str());
}

TEST_CASE("ids made in a row are all different") {
  constexpr auto many = std::size_t{20'000};
  auto seen = std::unordered_set<uuid>{};
  for (auto i = std::size_t{0}; i < many; ++i)
    seen.insert(uuid::make());
  CHECK(seen.size() == many);
}

TEST_CASE("threads never make the same id") {
  constexpr auto each = std::size_t{5'000};
  auto made = std::vector<std::vector<uuid>>(4);
  {
    auto threads = std::vector<std::jthread>{};
    for (auto& into : made)
      threads.emplace_back([&into] {
        for (auto i = std::size_t{0}; i < each; ++i)
          into.push_back(uuid::make());
      });
  }
  auto seen = std::unordered_set<uuid>{};
  for (const auto& ids : made)
    seen.insert(ids.begin(), ids.end());
  CHECK(seen.size() == made.size() * each);
}

TEST_CASE("the random tail differs in every byte sooner or later") {
  auto ones = uuid{};
  auto zeros = uuid{};
  zeros.bytes.fill(0xff);
  for (auto i = 0; i < 2'000; ++i) {
    const auto id = uuid::make();
    std::ranges::transform(ones.bytes, id.bytes, ones.bytes.begin(), std::bit_or{});
    std::ranges::transform(zeros.bytes, id.bytes, zeros.bytes.begin(), std::bit_and{});
  }
  CHECK(ones.bytes[6] == 0x7f); // version bits stay 0111
  CHECK(zeros.bytes[6] == 0x70);
  CHECK(ones.bytes[7] == 0xff);
  CHECK(zeros.bytes[7] == 0x00);
  CHECK(ones.bytes[8] == 0xbf); // variant bits stay 10
  CHECK(zeros.bytes[8] == 0x80);
  for (auto i = std::size_t{9}; i < 16; ++i) {
    CAPTURE(i);
    CHECK(ones.bytes[i] == 0xff);
    CHECK(zeros.bytes[i] == 0x00);
  }
}

TEST_CASE("ids of different rows are different types") {
  static_assert(!std::is_convertible_v<conversation_id, message_id>);
  static_assert(!std::is_convertible_v<job_id, lease_id>);
  const auto id = message_id::parse(canonical);
  REQUIRE(id.has_value());
  CHECK(id->str() == canonical);
  CHECK_FALSE(message_id::parse("x"));
}

TEST_CASE("equal ids have equal hashes") {
  const auto id = uuid::make();
  const auto same = *uuid::parse(id.str());
  CHECK(std::hash<uuid>{}(id) == std::hash<uuid>{}(same));
  CHECK(std::hash<user_id>{}({id}) == std::hash<user_id>{}({same}));
  CHECK(std::hash<job_id>{}({7}) == std::hash<job_id>{}({7}));
}

} // namespace
} // namespace jessica

TEST_SUITE_END();
