#include "engines/context_window.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("engines.context_window");

namespace {

using namespace jessica;
using namespace jessica::engines;

/// Hundred words: a hundred tokens, and four around them.
std::string words() {
  auto text = std::string{};
  for (auto i = 0; i < 100; ++i)
    text += "word ";
  return text;
}

prompt talk(std::size_t exchanges) {
  auto made = prompt{};
  for (auto i = std::size_t{0}; i < exchanges; ++i) {
    made.turns.push_back({"user", words()});
    made.turns.push_back({"assistant", words()});
  }
  made.turns.push_back({"user", words()});
  return made;
}

std::size_t first(const prompt& asked, std::size_t tokens, std::size_t reply = 0) {
  return first_turn_within(asked, {tokens, reply, token_family::wide});
}

} // namespace

TEST_CASE("all turns are shown when they fit") {
  CHECK(first(talk(3), 8000) == 0);
  CHECK(first(talk(3), 7 * 104) == 0);
  CHECK(first({}, 100) == 0);
}

TEST_CASE("no window, no limit") {
  CHECK(first(talk(50), 0) == 0);
}

TEST_CASE("the oldest turns are left out, and what is left begins with a user's") {
  CHECK(first(talk(3), 7 * 104 - 1) == 2);
  CHECK(first(talk(3), 5 * 104) == 2);
  CHECK(first(talk(3), 4 * 104) == 4);
  CHECK(first(talk(3), 2 * 104) == 6);
}

TEST_CASE("room is kept for the reply, the system text and the tools") {
  auto asked = talk(3);
  CHECK(first(asked, 8 * 104, 104) == 0);
  CHECK(first(asked, 8 * 104, 105) == 2);
  asked.system = words();
  CHECK(first(asked, 8 * 104) == 0);
  CHECK(first(asked, 8 * 104 - 1) == 2);
  asked.tools.push_back({"look", words(), "{}"});
  CHECK(first(asked, 8 * 104) == 2);
}

TEST_CASE("the last user's turn is shown however long it is") {
  CHECK(first(talk(3), 10) == 6);
  CHECK(first(talk(3), 10, 1000) == 6);
  CHECK(first(talk(0), 1) == 0);
}

TEST_CASE("calls of tools and their results stay with the turn that they answer") {
  auto asked = talk(1);
  asked.turns.push_back({"assistant", "", {}, {{"c1", "look", words()}}});
  asked.turns.push_back({"tool", words(), {}, {}, "c1"});
  CHECK(first(asked, 50) == 2);
  CHECK(first(asked, 3 * 104 + 10) == 2);
  CHECK(first(asked, 8000) == 0);
}

TEST_CASE(
    "a conversation that an assistant opened is shown from there, or from a user") {
  auto asked = prompt{};
  asked.turns.push_back({"assistant", words()});
  asked.turns.push_back({"user", words()});
  asked.turns.push_back({"assistant", words()});
  asked.turns.push_back({"user", words()});
  CHECK(first(asked, 4 * 104) == 0);
  CHECK(first(asked, 4 * 104 - 1) == 1);
}

TEST_CASE("tokens are counted from the first turn that is shown") {
  auto asked = talk(1);
  CHECK(estimated_tokens(asked, 0, token_family::wide) == 3 * 104);
  CHECK(estimated_tokens(asked, 2, token_family::wide) == 104);
  asked.system = words();
  CHECK(estimated_tokens(asked, 2, token_family::wide) == 2 * 104);
}

TEST_SUITE_END();
