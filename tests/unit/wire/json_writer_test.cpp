#include "wire/json_writer.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <limits>
#include <string>

TEST_SUITE_BEGIN("wire.json_writer");

namespace jessica::wire {
namespace {

using namespace std::string_literals;

[[nodiscard]] std::string quote(std::string_view text) {
  auto quoted = std::string{};
  append_quoted(quoted, text);
  return quoted;
}

TEST_CASE("plain text is only quoted") {
  CHECK(quote("") == R"("")");
  CHECK(quote("realtime:room 1/é€😀") == R"("realtime:room 1/é€😀")");
}

TEST_CASE("quotes, backslashes and control characters are escaped") {
  CHECK(quote("a\"b\\c/d") == R"("a\"b\\c/d")");
  CHECK(quote("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(quote("\x00\x01\x1f\x7f"s) == "\"\\u0000\\u0001\\u001f\x7f\"");
}

TEST_CASE("any byte a text may hold comes back when parsed, and its size is known") {
  auto all = std::string{};
  for (auto c = 0; c < 0x80; ++c)
    all += static_cast<char>(c);
  all += "é€😀";
  const auto written = quote(all);
  CHECK(std::string{boost::json::parse(written).as_string()} == all);
  CHECK(quoted_size(all) == written.size());
  for (const auto c : all)
    CHECK(quoted_size({&c, 1}) == quote({&c, 1}).size());
}

TEST_CASE("an object is written member by member") {
  auto writer = object_writer{};
  writer.text("a", "\"x\"")
      .number("b", -5)
      .count("c", 7)
      .flag("d", true)
      .flag("e", false)
      .json("f", "[1,null]");
  CHECK(writer.done() ==
        R"({"a":"\"x\"","b":-5,"c":7,"d":true,"e":false,"f":[1,null]})");
}

TEST_CASE("an object without members is empty") {
  CHECK(object_writer{}.done() == "{}");
}

TEST_CASE("the largest and smallest numbers are written whole") {
  auto writer = object_writer{};
  writer.number("a", std::numeric_limits<std::int64_t>::min())
      .number("b", std::numeric_limits<std::int64_t>::max())
      .count("c", std::numeric_limits<std::uint64_t>::max());
  CHECK(writer.done() == R"({"a":-9223372036854775808,"b":9223372036854775807,)"
                         R"("c":18446744073709551615})");
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
