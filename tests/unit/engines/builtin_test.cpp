#include "engines/builtin.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

using namespace jessica;
using namespace jessica::engines;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 30s; ///< for what must come; reached only when it never does

prompt question() {
  auto asked = prompt{};
  asked.system = "be kind";
  asked.turns = {{"user", "I like green tea."},
                 {"assistant", "Noted."},
                 {"user", "Which tea do I like?"}};
  return asked;
}

/// Collects one generation's events; any thread may wait for the last.
struct listener {
  std::string text;
  std::uint64_t tokens = 0;
  std::vector<text_ended> ends;
  bool failed = false;
  std::promise<void> over;

  event_sink sink() {
    return [this](engine_event event) {
      if (auto* made = std::get_if<text_made>(&event)) {
        failed = failed || made->text.empty() || made->tokens == 0 || !ends.empty();
        text += made->text;
        tokens += made->tokens;
      } else if (auto* end = std::get_if<text_ended>(&event)) {
        ends.push_back(*end);
        over.set_value();
      } else {
        failed = true;
      }
    };
  }

  void wait() {
    REQUIRE(over.get_future().wait_for(patience) == std::future_status::ready);
  }
};

} // namespace

TEST_SUITE("engines.builtin") {
  TEST_CASE("without a pace the whole answer comes before start returns") {
    const auto engine = make_builtin(0);
    auto heard = listener{};
    const auto going = engine->start(question(), heard.sink());
    CHECK(heard.text == compose_answer(question()));
    REQUIRE(heard.ends.size() == 1);
    CHECK_FALSE(heard.failed);
  }

  TEST_CASE("paced words add up to the answer, then it ends once") {
    const auto engine = make_builtin(2000);
    auto heard = listener{};
    const auto going = engine->start(question(), heard.sink());
    heard.wait();
    CHECK(heard.text == compose_answer(question()));
    CHECK(heard.ends.size() == 1);
    CHECK(heard.ends[0].finish_reason == "stop");
    CHECK_FALSE(heard.failed);
  }

  TEST_CASE("it goes on with a text that is its answer's beginning") {
    const auto engine = make_builtin(0);
    const auto whole = compose_answer(question());
    auto asked = question();
    asked.so_far = whole.substr(0, 20);
    auto heard = listener{};
    const auto going = engine->start(asked, heard.sink());
    CHECK(asked.so_far + heard.text == whole);
    CHECK(heard.ends.size() == 1);
    asked.so_far = whole;
    auto nothing = listener{};
    const auto done = engine->start(asked, nothing.sink());
    CHECK(nothing.text.empty());
    CHECK(nothing.ends.size() == 1);
    asked.so_far = "somebody else's words";
    auto other = listener{};
    const auto more = engine->start(asked, other.sink());
    CHECK(other.text == " There is no more to say.");
  }

  TEST_CASE("a token is a word with the blanks after it, and usage counts words") {
    const auto engine = make_builtin(0);
    auto heard = listener{};
    const auto going = engine->start(question(), heard.sink());
    REQUIRE(heard.ends.size() == 1);
    const auto used = heard.ends[0].used;
    CHECK(used.estimated);
    CHECK(used.prompt_tokens == 2 + 4 + 1 + 5);
    CHECK(static_cast<std::uint64_t>(used.completion_tokens) == heard.tokens);
    CHECK(heard.tokens > 20);
  }

  TEST_CASE("the first word comes at once, the second waits for the pace") {
    const auto engine = make_builtin(1);
    auto heard = listener{};
    auto going = engine->start(question(), heard.sink());
    going.reset();
    CHECK(heard.tokens >= 1);
    CHECK(compose_answer(question()).starts_with(heard.text));
    CHECK(heard.text != compose_answer(question()));
    CHECK(heard.ends.empty());
  }

  TEST_CASE("no event comes after a generation was destroyed, on whatever thread") {
    struct watched {
      std::atomic<bool> gone = false;
      std::atomic<int> late = 0;
    };
    const auto engine = make_builtin(5000);
    auto all = std::vector<std::unique_ptr<watched>>{};
    auto killers = std::vector<std::jthread>{};
    for (auto k = 0; k < 4; ++k) {
      auto doomed = std::vector<std::pair<watched*, std::unique_ptr<generation>>>{};
      for (auto i = 0; i < 50; ++i) {
        auto* const one = all.emplace_back(std::make_unique<watched>()).get();
        doomed.emplace_back(one, engine->start(question(), [one](const engine_event&) {
          one->late += one->gone ? 1 : 0;
        }));
      }
      killers.emplace_back([doomed = std::move(doomed)]() mutable {
        for (auto& [one, going] : doomed) {
          going.reset();
          one->gone = true;
        }
      });
    }
    // One that goes on to its end: by then the timer passed all others many times.
    auto last = listener{};
    const auto going = engine->start(question(), last.sink());
    killers.clear();
    last.wait();
    auto late = 0;
    for (const auto& one : all)
      late += one->late;
    CHECK(late == 0);
  }

  TEST_CASE("many generations at once each get their own whole answer") {
    const auto engine = make_builtin(5000);
    auto heard = std::vector<std::unique_ptr<listener>>{};
    auto going = std::vector<std::unique_ptr<generation>>{};
    for (auto i = 0; i < 100; ++i) {
      heard.push_back(std::make_unique<listener>());
      going.push_back(engine->start(question(), heard.back()->sink()));
    }
    const auto wanted = compose_answer(question());
    for (const auto& one : heard) {
      one->wait();
      CHECK(one->text == wanted);
    }
  }

  TEST_CASE("an engine may end before its generations, which then are silent") {
    auto engine = make_builtin(1);
    auto heard = listener{};
    auto going = engine->start(question(), heard.sink());
    engine.reset();
    const auto tokens = heard.tokens;
    going.reset();
    CHECK(heard.tokens == tokens);
    CHECK(heard.ends.empty());
  }

  TEST_CASE("the model has a name") {
    CHECK(make_builtin(0)->model() == "jessica-builtin");
  }
}
