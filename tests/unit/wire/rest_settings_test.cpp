#include "wire/rest_settings.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace jessica::wire {

TEST_SUITE("wire.rest_settings") {
  TEST_CASE("headers are objects of one text in an array") {
    using headers = std::vector<std::pair<std::string, std::string>>;
    CHECK(read_response_headers("")->empty());
    CHECK(read_response_headers("[]")->empty());
    CHECK(*read_response_headers(R"([{"A":"1"},{"Set-Cookie":"x"},{"A":"2"}])") ==
          headers{{"A", "1"}, {"Set-Cookie", "x"}, {"A", "2"}});
    for (const auto* bad :
         {"x", "{}", "[1]", "[{}]", R"([{"a":1}])", R"([{"a":"1","b":"2"}])",
          R"({"a":"1"})", R"([{"":"1"}])", R"([{"a b":"1"}])", R"([{"a:":"1"}])",
          R"([{"a":"1\r\nb: 2"}])", R"([{"a":"\u0000"}])"}) {
      CAPTURE(bad);
      const auto read = read_response_headers(bad);
      REQUIRE_FALSE(read);
      CHECK(read.error().reason == "PGRST111");
    }
  }

  TEST_CASE("a status is a final one") {
    CHECK(*read_response_status("", 201) == 201);
    CHECK(*read_response_status("418", 200) == 418);
    for (const auto* bad : {"x", "100", "600", "20", "200x", " 200", "-200"}) {
      CAPTURE(bad);
      const auto read = read_response_status(bad, 200);
      REQUIRE_FALSE(read);
      CHECK(read.error().reason == "PGRST112");
    }
  }
}

} // namespace jessica::wire
