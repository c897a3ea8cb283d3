#include "bench/load/settings.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <vector>

using namespace jessica::bench;

namespace {

jessica::result<settings> read(std::vector<std::string> arguments) {
  auto pointers = std::vector<char*>{};
  for (auto& one : arguments)
    pointers.push_back(one.data());
  return read_settings(pointers);
}

} // namespace

TEST_SUITE("bench.settings") {
  TEST_CASE("a value stands behind its name or behind an equals sign") {
    const auto got = read({"--members", "5000", "--peers=ws,uws", "--json", "--pin=0"});
    REQUIRE(got.has_value());
    CHECK(got->members == 5000);
    CHECK(got->peers == "ws,uws");
    CHECK(got->json);
    CHECK(got->pin == 0);
  }

  TEST_CASE("what is not asked for keeps its default") {
    const auto got = read({});
    REQUIRE(got.has_value());
    CHECK(got->hold == 0);
    CHECK(got->pin == 1);
    CHECK(got->peers == "ws,uws,socket.io");
  }

  TEST_CASE("unknown names, missing and senseless values are refused") {
    for (const auto& bad : std::vector<std::vector<std::string>>{{"--speed", "1"},
                                                                 {"--members"},
                                                                 {"--members", "many"},
                                                                 {"--members", "0"},
                                                                 {"--within", "0"},
                                                                 {"--followers=0"},
                                                                 {"--streams=0"},
                                                                 {"--signers=0"},
                                                                 {"--peers", "nginx"},
                                                                 {"members", "1"}})
      CHECK_FALSE(read(bad).has_value());
  }
}
