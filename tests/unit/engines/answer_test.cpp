#include "domain/utf8.hpp"
#include "engines/answer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <ranges>
#include <string_view>

using namespace jessica;
using engines::compose_answer;

namespace {

constexpr auto notice = std::string_view{
    "This is Jessica's built-in engine; no language model is configured yet: "
    "JESSICA_ENGINE_URL connects one."};

/// A conversation of user messages, each but the last answered with a line that no
/// answer may quote.
prompt conversation(std::vector<std::string> said) {
  auto asked = prompt{};
  for (auto i = std::size_t{0}; i < said.size(); ++i) {
    asked.turns.push_back({"user", std::move(said[i])});
    if (i + 1 < said.size())
      asked.turns.push_back({"assistant", "coffee tea berlin minka unquoted"});
  }
  return asked;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (!next.valid)
      return false;
    text.remove_prefix(next.size);
  }
  return true;
}

std::ptrdiff_t words_of(std::string_view text) {
  return std::ranges::count(text, ' ') + 1;
}

} // namespace

TEST_SUITE("engines.answer") {
  TEST_CASE("a memory is quoted, with who said it, before all else") {
    auto asked = conversation({"What is my pet called?"});
    asked.memories.push_back({{}, {}, 0.8F, "user", "My dog is called Rex"});
    asked.memories.push_back({{}, {}, 0.7F, "assistant", "A fine name"});
    asked.memories.push_back({{}, {}, 0.6F, "user", "unquoted, the third"});
    const auto answer = compose_answer(asked);
    CHECK(answer.contains("you said \u201cMy dog is called Rex\u201d"));
    CHECK(answer.contains("I said \u201cA fine name\u201d"));
    CHECK_FALSE(answer.contains("unquoted"));
    CHECK(answer.contains("no language model is configured"));
  }

  TEST_CASE("a first message is greeted and quoted") {
    const auto answer = compose_answer(conversation({"Good morning, Jessica"}));
    CHECK(answer.starts_with("Hello!"));
    CHECK(answer.contains("Good morning, Jessica"));
  }

  TEST_CASE("the sentence that matches the question is quoted, what we said is not") {
    const auto answer =
        compose_answer(conversation({"I moved here. My cat Minka eats fish. It rains.",
                                     "Fine weather!", "What does Minka eat?"}));
    CHECK(answer.contains("My cat Minka eats fish."));
    CHECK(answer.contains("minka"));
    CHECK_FALSE(answer.contains("It rains"));
    CHECK_FALSE(answer.contains("unquoted"));
  }

  TEST_CASE("asked what was said, it counts the messages and quotes the latest") {
    const auto answer = compose_answer(conversation(
        {"First thing", "Second thing", "Third thing", "What did I say?"}));
    CHECK(answer.contains("3 messages"));
    CHECK(answer.contains("Second thing"));
    CHECK(answer.contains("Third thing"));
    CHECK_FALSE(answer.contains("First thing"));
    const auto single = compose_answer(conversation({"Only thing", "WHAT DID I SAY?"}));
    CHECK(single.contains("one message "));
    CHECK(single.contains("Only thing"));
  }

  TEST_CASE("a question that matches nothing is echoed with its topic") {
    const auto answer =
        compose_answer(conversation({"I like tea.", "Where is Timbuktu?"}));
    CHECK(answer.contains("nothing about timbuktu"));
    CHECK(answer.contains("I like tea."));
  }

  TEST_CASE("every answer says once that no language model is configured") {
    for (const auto& asked :
         {prompt{}, conversation({""}), conversation({"hi"}),
          conversation({"tea", "tea?"}), conversation({"tea", "what did I say"}),
          conversation({"tea", "Berlin?"}), conversation({"tea", ""})}) {
      const auto answer = compose_answer(asked);
      const auto at = answer.find(notice);
      REQUIRE(at != answer.npos);
      CHECK(answer.find(notice, at + 1) == answer.npos);
    }
  }

  TEST_CASE("the same prompt gives the same answer") {
    const auto asked = conversation({"I like tea.", "And coffee?", "What do I like?"});
    CHECK(compose_answer(asked) == compose_answer(asked));
  }

  TEST_CASE("answers are neither curt nor endless") {
    const auto wordy = std::string(3000, 'x') + " lorem ipsum dolor sit amet." +
                       std::string(3000, 'y');
    auto long_said = std::string{};
    for (auto i = 0; i < 300; ++i)
      long_said += "tea is served with biscuits ";
    for (const auto& asked :
         {conversation({"hi"}), conversation({long_said, "tea?"}), prompt{},
          conversation({long_said, long_said, "what did I say"}), conversation({wordy}),
          conversation({long_said, "Where is Timbuktu?"})}) {
      const auto answer = compose_answer(asked);
      CAPTURE(answer);
      CHECK(words_of(answer) >= 25);
      CHECK(words_of(answer) <= 80);
      CHECK(answer.size() < 1000);
    }
  }

  TEST_CASE("any text gives valid UTF-8: scripts, emoji, code, broken bytes, NUL") {
    const auto texts = std::vector<std::string>{
        "\u6771\u4eac\u306f\u3069\u3053\u3067\u3059\u304b\uff1f",
        "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
        "\U0001F468\u200D\U0001F469\u200D\U0001F467 \U0001F600\U0001F600",
        "```c\nint main() { return 0; }\n```",
        "\xff\xfe broken \xc3",
        std::string("a\0b", 3),
        std::string(5000, '\xe2'),
    };
    for (const auto& first : texts)
      for (const auto& second : texts) {
        const auto answer = compose_answer(conversation({first, second}));
        CHECK(is_valid_utf8(answer));
        CHECK(answer.contains(notice));
      }
  }

  TEST_CASE("huge messages are answered from their start, cut between characters") {
    auto euros = std::string{};
    while (euros.size() < 262'144)
      euros += "\u20ac";
    for (auto shift = std::size_t{0}; shift < 3; ++shift) {
      const auto text = std::string(shift, 'a') + euros;
      const auto answer = compose_answer(conversation({text, text}));
      CHECK(is_valid_utf8(answer));
      CHECK(answer.size() < 1500);
    }
  }
}
