#include "engines/http_tools.hpp"
#include "tests/fixtures/fake_provider.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

TEST_SUITE_BEGIN("engines.http_tools");

namespace {

using namespace jessica;
using namespace jessica::engines;
using namespace jessica::test;
using namespace std::chrono_literals;

config::tool_settings tool_at(const std::string& url) {
  auto made = config::tool_settings{};
  made.name = "add";
  made.description = "Adds.";
  made.url = url;
  return made;
}

/// Waits for one outcome.
class awaited {
public:
  [[nodiscard]] tool_sink sink() {
    return [this](tool_outcome what) {
      const auto held = std::lock_guard{lock_};
      CHECK_FALSE(came_);
      came_ = std::move(what);
      changed_.notify_all();
    };
  }
  [[nodiscard]] tool_outcome wait() {
    auto held = std::unique_lock{lock_};
    REQUIRE(changed_.wait_for(held, 20s, [&] { return came_.has_value(); }));
    return *came_;
  }
  [[nodiscard]] bool came() {
    const auto held = std::lock_guard{lock_};
    return came_.has_value();
  }

private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::optional<tool_outcome> came_;
};

struct tool_world {
  explicit tool_world(const config::tool_settings& settings) {
    auto made = open_http_tools({settings});
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    runner = std::move(*made);
  }

  [[nodiscard]] tool_question question(std::string arguments = R"({"x":1})") const {
    return {{"c1", "add", std::move(arguments)}, user, conversation, reply, 0};
  }
  [[nodiscard]] tool_outcome call(tool_question what) {
    auto outcome = awaited{};
    const auto running = runner->start(std::move(what), outcome.sink());
    return outcome.wait();
  }
  [[nodiscard]] tool_outcome call() { return call(question()); }

  user_id user = user_id::make();
  conversation_id conversation = conversation_id::make();
  message_id reply = message_id::make();
  std::unique_ptr<tool_runner> runner;
};

/// What the tool's server says, and what comes of it.
tool_outcome outcome_of(const script& said, config::tool_settings settings = {}) {
  auto with = fake_provider{{said}};
  const auto made = tool_at(with.url());
  settings.name = made.name;
  settings.description = made.description;
  settings.url = made.url;
  return tool_world{settings}.call();
}

script text_answer(std::string_view type, std::string_view body) {
  return {say{"HTTP/1.1 200 OK\r\nContent-Type: " + std::string{type} +
              "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              std::string{body}}};
}

} // namespace

TEST_CASE("a call is posted with its key and headers, and the body is the result") {
  auto with = fake_provider{{{say{answer("200 OK", R"({"sum":3})")}}}};
  auto settings = tool_at(with.url());
  settings.key = "sk-tool";
  settings.headers = {{"X-Team", "blue"}};
  auto world = tool_world{settings};
  const auto came = world.call();
  CHECK_FALSE(came.failed);
  CHECK(came.result == R"({"sum":3})");
  CHECK(came.call == tool_call{"c1", "add", R"({"x":1})"});
  const auto seen = with.requests();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].method == "POST");
  CHECK(seen[0].target == "/v1");
  CHECK(seen[0].headers.at("authorization") == "Bearer sk-tool");
  CHECK(seen[0].headers.at("x-team") == "blue");
  CHECK(seen[0].headers.at("accept") == "application/json, text/plain");
  CHECK(seen[0].body ==
        R"({"name":"add","arguments":{"x":1},"call_id":"c1","user_id":")" +
            world.user.str() + R"(","conversation_id":")" + world.conversation.str() +
            R"(","reply_id":")" + world.reply.str() + "\"}");
}

TEST_CASE("the same call of another attempt has the same idempotency key") {
  auto with = fake_provider{{{say{answer("200 OK", "1")}}}};
  auto world = tool_world{tool_at(with.url())};
  const auto key_of = [&](const tool_question& what) {
    CHECK_FALSE(world.call(what).failed);
    return with.requests().back().headers.at("idempotency-key");
  };
  const auto first = key_of(world.question());
  auto again = world.question();
  again.call.id = "c2"; // models name their calls anew each time
  CHECK(key_of(again) == first);
  again.repeats = 1;
  CHECK(key_of(again) != first);
  CHECK(key_of(world.question(R"({"x":2})")) != first);
  auto other = world.question();
  other.reply = message_id::make();
  CHECK(key_of(other) != first);
}

TEST_CASE("no arguments are an empty object; what is no object is not sent") {
  auto with = fake_provider{{{say{answer("200 OK", "1")}}}};
  auto world = tool_world{tool_at(with.url())};
  CHECK_FALSE(world.call(world.question("")).failed);
  CHECK(with.requests().at(0).body.contains(R"("arguments":{})"));
  for (const auto* const bad : {"[1]", "{\"x\":", "null", "7"}) {
    const auto came = world.call(world.question(bad));
    CHECK(came.failed);
    CHECK(came.result == "the tool was not called: its arguments are no JSON object");
  }
  CHECK(with.requests().size() == 1);
}

TEST_CASE("a tool that does not exist is said not to") {
  auto world = tool_world{tool_at("http://127.0.0.1:1")};
  auto asked = world.question();
  asked.call.name = "subtract";
  const auto came = world.call(asked);
  CHECK(came.failed);
  CHECK(came.result == "there is no such tool");
}

TEST_CASE("whatever goes wrong is an outcome in words") {
  CHECK(outcome_of({say{answer("503 Busy", "{}")}}).result == "the tool failed: 503");
  CHECK(outcome_of({say{answer("500 Oops", "{}")}}).result == "the tool failed: 500");
  CHECK(
      outcome_of({say{answer("302 Found", "{}", "Location: /elsewhere\r\n")}}).result ==
      "the tool failed: 302");
  CHECK(outcome_of({hang_up{true}}).result == "the tool failed: its answer was broken");
  CHECK(outcome_of({say{"nonsense\r\n\r\n"}}).result ==
        "the tool failed: its answer was broken");
  CHECK(outcome_of(text_answer("image/png", "x")).result ==
        "the tool failed: its answer is no text");
  CHECK(outcome_of(text_answer("text/plain", "\xff\xfe")).result ==
        "the tool failed: its answer is no UTF-8");
  CHECK(outcome_of(text_answer("text/plain", "caf\xc3")).result ==
        "the tool failed: its answer is no UTF-8");
  const auto nobody = tool_world{tool_at("http://127.0.0.1:1")}.call();
  CHECK(nobody.failed);
  CHECK(nobody.result == "the tool failed: its server cannot be reached");
}

TEST_CASE("a tool that is late has failed, whatever it is late with") {
  auto settings = config::tool_settings{};
  settings.timeout = 50ms;
  const auto late = "the tool failed: it took too long";
  CHECK(outcome_of({stall{}}, settings).result == late);
  CHECK(outcome_of({say{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}, stall{}},
                   settings)
            .result == late);
}

TEST_CASE("texts of any kind are results") {
  CHECK(outcome_of(text_answer("text/plain; charset=utf-8", "plain")).result ==
        "plain");
  CHECK(outcome_of(text_answer("application/problem+json", "{}")).result == "{}");
  CHECK(outcome_of({say{"HTTP/1.1 204 No Content\r\n\r\n"}}).result.empty());
  CHECK(outcome_of(text_answer("text/plain", std::string_view{"a\0b", 3})).result ==
        "ab");
}

TEST_CASE("a long result is cut between code points, and says so") {
  auto settings = config::tool_settings{};
  settings.max_result_bytes = 64;
  const auto body = std::string(63, 'x') + "\xc3\xa4" + std::string(5000, 'y');
  const auto came = outcome_of(text_answer("text/plain", body), settings);
  CHECK_FALSE(came.failed);
  CHECK(came.result == std::string(63, 'x') + "\n[cut after 64 bytes]");
  const auto endless = outcome_of(
      {say{"HTTP/1.1 200 OK\r\n\r\n"}, repeat{std::string(1000, 'z')}}, settings);
  CHECK(endless.result == std::string(64, 'z') + "\n[cut after 64 bytes]");
  const auto fits =
      outcome_of(text_answer("text/plain", std::string(64, 'x')), settings);
  CHECK(fits.result == std::string(64, 'x'));
}

TEST_CASE("a call that nobody waits for any more is ended, and tells nothing") {
  auto with = fake_provider{{{stall{}}}};
  auto world = tool_world{tool_at(with.url())};
  auto outcome = awaited{};
  auto running = world.runner->start(world.question(), outcome.sink());
  REQUIRE(with.wait_for_requests(1));
  running.reset();
  CHECK(with.wait_for_open(0));
  CHECK_FALSE(outcome.came());
}

TEST_CASE("calls under way end with the runner") {
  auto with = fake_provider{{{stall{}}}};
  auto outcome = awaited{};
  {
    auto world = tool_world{tool_at(with.url())};
    auto running = world.runner->start(world.question(), outcome.sink());
    REQUIRE(with.wait_for_requests(1));
    running.reset();
  }
  CHECK(with.wait_for_open(0));
  CHECK_FALSE(outcome.came());
}

TEST_CASE("TLS is verified") {
  const auto identity = make_certificate("127.0.0.1");
  auto with = fake_provider{{{say{answer("200 OK", "1")}}}, identity};
  auto world = tool_world{tool_at(with.url())};
  CHECK(world.call().result == "the tool failed: its server cannot be reached");
  CHECK(with.requests().empty());
}

TEST_CASE("tools that cannot be are refused by their names") {
  auto settings = tool_at("http://127.0.0.1:1");
  settings.parameters = "{\"type\":";
  CHECK(open_http_tools({settings}).error().what ==
        "tool add: parameters must be a JSON object");
  settings.parameters = "[]";
  CHECK_FALSE(open_http_tools({settings}).has_value());
  settings.parameters = "";
  settings.ca_file = "/nowhere/ca.pem";
  CHECK(open_http_tools({settings}).error().what.starts_with("tool add: "));
  settings.ca_file.clear();
  const auto made = open_http_tools({settings});
  REQUIRE(made);
  CHECK((*made)->tools() ==
        std::vector<tool>{{"add", "Adds.", R"({"type":"object","properties":{}})"}});
}
