#include "tests/unit/actors/session_house.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace {

using namespace jessica;
using namespace jessica::actors;
using test::session_house;

constexpr auto room = "realtime:conversation:33333333-3333-4333-8333-333333333333";

/// A house whose MEMORY answers as it is told.
struct memory_house : session_house {
  std::optional<search_memory> asked;
  result<memories_found> found = memories_found{};

  client joined(bool with_memory = true) {
    if (with_memory)
      remembering = world.own(world.sys().spawn(
          [this](memory_actor::pointer) -> memory_actor::behavior_type {
            return {[this](const search_memory& msg) {
                      asked = msg;
                      return answer(found);
                    },
                    [](const recall_memories&) { return memories_found{}; }};
          }));
    auto made = connect();
    made.join(room, token(auth_session_id::make()));
    return made;
  }
};

} // namespace

TEST_SUITE("actors.session_memory") {
  TEST_CASE("memory.search is answered in the reply to the push") {
    auto h = memory_house{};
    auto one = found_memory{};
    one.content = "My dog is called Rex";
    h.found = memories_found{{one}};
    auto c = h.joined();
    c.say(room, "memory.search", R"({"query":"dog","k":3})");
    CHECK(c.status() == "ok");
    const auto last = c.last();
    const auto& told = last.at("payload").at("response").at("memories").as_array();
    REQUIRE(told.size() == 1);
    CHECK(told.at(0).at("content").as_string() == one.content);
    REQUIRE(h.asked);
    CHECK(h.asked->whose.user == h.user);
    CHECK(h.asked->whose.who->user == h.user);
    CHECK(h.asked->what.k == 3);
  }

  TEST_CASE("what is wrong with it is told") {
    auto h = memory_house{};
    auto c = h.joined();
    c.say(room, "memory.search", R"({"query":"dog","k":0})");
    CHECK(c.reason() == "k must be 1 to 100");
    c.say(room, "memory.search",
          R"({"query":"dog","user_id":"11111111-1111-4111-8111-111111111111"})");
    CHECK(c.reason() == "user_id is for the service role");
    CHECK_FALSE(h.asked);
    h.found = fail(errc::timeout, "late", "position_not_reached");
    c.say(room, "memory.search", R"({"query":"dog"})");
    CHECK(c.reason() == "position_not_reached");
  }

  TEST_CASE("without a memory it is refused") {
    auto h = memory_house{};
    auto c = h.joined(false);
    c.say(room, "memory.search", R"({"query":"dog"})");
    CHECK(c.reason() == "no_memory");
  }
}
