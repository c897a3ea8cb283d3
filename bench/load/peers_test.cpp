#include "bench/load/peers.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace jessica::bench;

TEST_SUITE("bench.peers") {
  TEST_CASE("peers come in the order they are named") {
    const auto named = relay_peers_named("uws,ws");
    REQUIRE(named.has_value());
    REQUIRE(named->size() == 2);
    CHECK(named->front().name == "uws");
    CHECK(named->front().needs_node20);
    CHECK(named->back().name == "ws");
  }

  TEST_CASE("a peer that is unknown, named twice or missing is refused") {
    for (const auto* const bad : {"", "ws,", "nginx", "ws,uws,ws", "ws, uws"})
      CHECK_FALSE(relay_peers_named(bad).has_value());
  }
}
