#include "wire/base64url.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.base64url");

namespace jessica::wire {
namespace {

using namespace std::string_literals;

[[nodiscard]] std::string encode(std::string_view bytes) {
  auto text = std::string{};
  append_base64url(
      text, {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
  return text;
}

TEST_CASE("the vectors of RFC 4648, without padding") {
  CHECK(encode("").empty());
  CHECK(encode("f") == "Zg");
  CHECK(encode("fo") == "Zm8");
  CHECK(encode("foo") == "Zm9v");
  CHECK(encode("foob") == "Zm9vYg");
  CHECK(*decode_base64url("") == "");
  CHECK(*decode_base64url("Zg") == "f");
  CHECK(*decode_base64url("Zm8") == "fo");
  CHECK(*decode_base64url("Zm9vYmFy") == "foobar");
}

TEST_CASE("the two characters of the URL alphabet are - and _") {
  CHECK(encode("\xfb\xff\xfe"s) == "-__-");
  CHECK(*decode_base64url("-__-") == "\xfb\xff\xfe"s);
}

TEST_CASE("bytes of every value and texts of every length come back") {
  auto bytes = std::string{};
  for (auto i = 0; i < 512; ++i) {
    CAPTURE(i);
    CHECK(decode_base64url(encode(bytes)) == bytes);
    bytes += static_cast<char>(i * 7);
  }
}

TEST_CASE("encoding appends") {
  auto text = "a."s;
  append_base64url(text, {});
  CHECK(text == "a.");
}

TEST_CASE("any other character in any place is refused") {
  for (const auto length : {2UL, 3UL, 4UL, 6UL, 7UL, 8UL}) {
    for (auto at = std::size_t{0}; at < length; ++at) {
      for (auto c = 0; c < 256; ++c) {
        const auto wrong = static_cast<char>(c);
        const auto known =
            (wrong >= 'A' && wrong <= 'Z') || (wrong >= 'a' && wrong <= 'z') ||
            (wrong >= '0' && wrong <= '9') || wrong == '-' || wrong == '_';
        if (known)
          continue;
        auto text = std::string(length, 'A');
        text[at] = wrong;
        REQUIRE_FALSE(decode_base64url(text).has_value());
      }
    }
  }
}

TEST_CASE("a length no bytes have, padding and loose bits are refused") {
  CHECK_FALSE(decode_base64url("A"));
  CHECK_FALSE(decode_base64url("AAAAA"));
  CHECK_FALSE(decode_base64url("Zg=="));
  CHECK_FALSE(decode_base64url("Zh"));
  CHECK_FALSE(decode_base64url("Zm9"));
  CHECK_FALSE(decode_base64url("Zm8="));
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
