#include "engines/token_family.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

TEST_SUITE_BEGIN("engines.token_family");

namespace {

using namespace jessica;
using namespace jessica::engines;

/// What the models' own tokenizers make of a text.
struct counted_text {
  std::string_view text;
  std::array<std::size_t, 2> wide;   ///< GPT-4o, Llama 3
  std::size_t western;               ///< GPT-4
  std::array<std::size_t, 2> narrow; ///< Llama 2, Mistral
};

constexpr auto counted = std::to_array<counted_text>({
    {"The ferry leaves at seven, so we should pack tonight and sleep early. Could you "
     "remind me to bring the blue raincoat and two apples?",
     {29, 29},
     29,
     {34, 32}},
    {"for (auto& one : rows) {\n    total += one.price * one.count;\n    if (total > "
     "limit)\n        return std::nullopt;\n}\n",
     {33, 34},
     34,
     {42, 40}},
    {R"({"id": 4711, "name": "lamp", "tags": ["desk", "warm"], "price": 39.95})",
     {30, 30},
     30,
     {37, 37}},
    {"Die Fähre fährt um sieben Uhr ab, deshalb sollten wir heute Abend packen und "
     "früh "
     "schlafen gehen.",
     {21, 29},
     29,
     {32, 34}},
    {"Паром уходит в семь часов, поэтому нам нужно собрать вещи сегодня вечером и рано "
     "лечь спать.",
     {23, 28},
     47,
     {36, 41}},
    {"渡轮七点出发，所以我们今晚应该收拾行李早点睡觉。请提醒我带上蓝色的雨衣和两个苹果"
     "。",
     {32, 35},
     57,
     {66, 48}},
    {"フェリーは七時に出るので、今夜荷造りをして早く寝ましょう。青いレインコートを忘れ"
     "ないでください。",
     {36, 33},
     50,
     {57, 53}},
    {"배는 일곱 시에 떠나니까 오늘 밤에 짐을 싸고 일찍 자야 해요. 파란 비옷을 꼭 "
     "챙기라고 말해 주세요.",
     {40, 42},
     57,
     {90, 80}},
    {"العبارة تغادر في السابعة، لذلك يجب أن نحزم أمتعتنا الليلة وننام مبكرا.",
     {26, 27},
     50,
     {65, 64}},
    {"नाव सात बजे निकलती है, इसलिए हमें आज रात सामान बाँधकर जल्दी सो जाना चाहिए।",
     {21, 38},
     74,
     {83, 77}},
});

void check_near(std::string_view text, token_family family, std::size_t real) {
  const auto told = static_cast<double>(estimated_tokens(text, family));
  const auto counts = static_cast<double>(real);
  CAPTURE(text);
  CAPTURE(real);
  CHECK(told >= 0.8 * counts);
  CHECK(told <= 2.4 * counts);
}

} // namespace

TEST_CASE("the estimate is near what tokenizers count, and seldom below it") {
  for (const auto& one : counted) {
    for (const auto real : one.wide)
      check_near(one.text, token_family::wide, real);
    check_near(one.text, token_family::western, one.western);
    for (const auto real : one.narrow)
      check_near(one.text, token_family::narrow, real);
  }
}

TEST_CASE("English prose is counted to within a half") {
  const auto& prose = counted.front();
  CHECK(estimated_tokens(prose.text, token_family::wide) >= prose.wide.front());
  CHECK(2 * estimated_tokens(prose.text, token_family::wide) <= 3 * prose.wide.front());
}

TEST_CASE("nothing is no token, blanks and lines are few") {
  CHECK(estimated_tokens("", token_family::wide) == 0);
  CHECK(estimated_tokens(" ", token_family::wide) == 0);
  CHECK(estimated_tokens("\n\n\n\n", token_family::wide) == 1);
  CHECK(estimated_tokens("one two", token_family::wide) == 2);
  CHECK(estimated_tokens("        deep", token_family::wide) == 2);
}

TEST_CASE("words that are joined by capitals and digits are counted apart") {
  CHECK(estimated_tokens("camelCase", token_family::wide) == 2);
  CHECK(estimated_tokens("HTTP", token_family::wide) == 1);
  CHECK(estimated_tokens("abc123", token_family::wide) == 2);
  CHECK(estimated_tokens("1234567", token_family::wide) == 3);
  CHECK(estimated_tokens("1234567", token_family::narrow) == 7);
}

TEST_CASE("broken UTF-8 is counted and ends") {
  CHECK(estimated_tokens("\xff\xfe\x80", token_family::wide) > 0);
}

TEST_CASE("a model's family is known by its name") {
  CHECK(family_of("gpt-4o-mini") == token_family::wide);
  CHECK(family_of("GPT-4.1") == token_family::wide);
  CHECK(family_of("gpt-4-turbo") == token_family::western);
  CHECK(family_of("gpt-3.5-turbo") == token_family::western);
  CHECK(family_of("gpt-5") == token_family::wide);
  CHECK(family_of("o3-mini") == token_family::wide);
  CHECK(family_of("llama3.2:3b") == token_family::wide);
  CHECK(family_of("meta-llama/Llama-2-7b-chat") == token_family::narrow);
  CHECK(family_of("qwen2.5:7b") == token_family::wide);
  CHECK(family_of("mistral:7b") == token_family::narrow);
  CHECK(family_of("open-mistral-nemo") == token_family::wide);
}

TEST_CASE("a model that nobody knows is counted with the most tokens") {
  CHECK(family_of("") == token_family::narrow);
  CHECK(family_of("my-own-model") == token_family::narrow);
  CHECK(family_of("foo1") == token_family::narrow); // no "o1"
}

TEST_SUITE_END();
