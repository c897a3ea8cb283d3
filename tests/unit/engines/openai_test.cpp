#include "engines/openai.hpp"
#include "tests/fixtures/chat_world.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <atomic>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <variant>

TEST_SUITE_BEGIN("engines.openai");

namespace {

using namespace jessica;
using namespace jessica::engines;
using namespace jessica::test;
using namespace std::chrono_literals;

script refused(std::string_view line) {
  return {say{answer(line, "{}")}};
}

script broken_off(const std::vector<std::string>& words) {
  auto what = script{say{stream_head()}};
  for (const auto& word : words)
    what.emplace_back(say{chunk(token(word))});
  what.emplace_back(hold{});
  what.emplace_back(hang_up{});
  return what;
}

/// A certificate in a file of its own, as long as this lives.
struct trusted_file {
  explicit trusted_file(const test_certificate& what) {
    std::ofstream{path} << what.certificate;
  }
  temp_folder folder{"ca"};
  std::string path = folder.path / "ca.pem";
};

} // namespace

TEST_CASE("a question goes out with its key, headers and params, and text comes back") {
  auto with = fake_provider{{good_answer({"Hel", "lo"})}};
  auto settings = provider_at(with.url(), "asked");
  settings.key = "sk-1";
  settings.headers = {{"X-Team", "blue"}};
  auto world = chat_world{settings};
  auto what = hello();
  what.system = "be kind";
  what.params.temperature = 0.5;
  what.params.max_tokens = 9;
  what.params.stop = {"END"};
  const auto& heard = world.ask(what);
  REQUIRE(heard.ended);
  CHECK(heard.text == "Hello");
  CHECK(heard.tokens == 2);
  CHECK(heard.models.empty()); // as promised
  CHECK(heard.ended->used == usage{7, 2, false});
  const auto seen = with.requests();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].method == "POST");
  CHECK(seen[0].target == "/v1/chat/completions");
  CHECK(seen[0].headers.at("authorization") == "Bearer sk-1");
  CHECK(seen[0].headers.at("x-team") == "blue");
  CHECK(seen[0].body == R"({"model":"small","messages":[)"
                        R"({"role":"system","content":"be kind"},)"
                        R"({"role":"user","content":"hello"}],"stream":true,)"
                        R"("stream_options":{"include_usage":true},)"
                        R"("temperature":5E-1,"max_tokens":9,"stop":["END"]})");
}

TEST_CASE("what a model thinks is told apart from what it says") {
  auto with = fake_provider{
      {{say{stream_head() +
            chunk("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
                  "data: {\"choices\":[{\"delta\":{\"reasoning\":\" yes\","
                  "\"content\":null}}]}\n\n") +
            chunk(token("42") + finish() + done_word()) + last_chunk()}}}};
  auto world = chat_world{provider_at(with.url(), "thinker")};
  const auto& heard = world.ask();
  REQUIRE(heard.ended);
  CHECK(heard.reasoning == "hm yes");
  CHECK(heard.text == "42");
  CHECK(heard.tokens == 1);
}

TEST_CASE("thoughts beyond what a reply may hold are dropped, the text is not") {
  const auto thought = chunk("data: {\"choices\":[{\"delta\":{\"reasoning\":\"" +
                             std::string(400, 'h') + "\"}}]}\n\n");
  auto with = fake_provider{
      {{say{stream_head() + thought + thought + thought},
        say{chunk(token("42") + finish() + done_word()) + last_chunk()}}}};
  auto settings = provider_at(with.url(), "thoughtful");
  settings.max_reply_bytes = 1000;
  auto world = chat_world{settings};
  const auto& heard = world.ask();
  REQUIRE(heard.ended);
  CHECK(heard.text == "42");
  CHECK(heard.reasoning.size() <= 1000);
}

TEST_CASE("before the first token the next provider is asked, and named") {
  auto first = fake_provider{{refused("500 Oops")}};
  auto second = fake_provider{{good_answer({"two"})}};
  auto settings = provider_at(second.url(), "second");
  settings.model = "large";
  auto world = chat_world{{provider_at(first.url(), "first"), settings}};
  CHECK(world.engine->model_of(hello()) == "small");
  const auto& heard = world.ask();
  REQUIRE(heard.ended);
  CHECK(heard.text == "two");
  CHECK(heard.models == std::vector<std::string>{"large"});
  CHECK(counted("first", "server_error", 1));
}

TEST_CASE("when all fail the first one's words are told") {
  auto first = fake_provider{{refused("401 No")}};
  auto second = fake_provider{{refused("503 Busy")}};
  auto world =
      chat_world{{provider_at(first.url(), "no"), provider_at(second.url(), "busy")}};
  const auto& heard = world.ask();
  REQUIRE(heard.failed);
  CHECK(heard.failed->what.starts_with("The language model is not set up"));
  CHECK(heard.failed->retryable); // the second may come back
}

TEST_CASE("a question that is refused is not tried elsewhere") {
  auto first = fake_provider{{refused("400 Bad")}};
  auto second = fake_provider{{good_answer({"x"})}};
  auto world = chat_world{
      {provider_at(first.url(), "strict"), provider_at(second.url(), "spare")}};
  const auto& heard = world.ask();
  REQUIRE(heard.failed);
  CHECK_FALSE(heard.failed->retryable);
  CHECK(second.requests().empty());
}

TEST_CASE("a named model goes to who offers it") {
  auto first = fake_provider{{good_answer({"one"})}};
  auto second = fake_provider{{good_answer({"two"})}};
  auto one = provider_at(first.url(), "one");
  one.models = {"gpt-*"};
  auto two = provider_at(second.url(), "two");
  two.models = {"llama"};
  auto world = chat_world{{one, two}};
  auto what = hello();
  what.model = "llama";
  CHECK(world.ask(what).text == "two");
  CHECK(first.requests().empty());
  what.params.model = "gpt-5"; // stronger than the conversation's
  CHECK(world.ask(what).text == "one");
  CHECK(first.requests().at(0).body.contains(R"("model":"gpt-5")"));
  what.params.model = "unheard-of";
  const auto& heard = world.ask(what);
  REQUIRE(heard.failed);
  CHECK(heard.failed->what == "No language model of this name is offered.");
  CHECK_FALSE(heard.failed->retryable);
}

TEST_CASE("a text that broke off is gone on with where that can be done") {
  auto with = fake_provider{{broken_off({"one ", "two "}), good_answer({"three"})}};
  auto settings = provider_at(with.url(), "prefilled");
  settings.prefill = "vllm";
  auto world = chat_world{settings};
  auto one = asked_chat{*world.engine, hello()};
  REQUIRE(one.heard->wait_for_tokens(2));
  with.release();
  const auto& heard = one.end();
  REQUIRE(heard.ended);
  CHECK(heard.text == "one two three");
  CHECK(heard.tokens == 3);
  CHECK(heard.ended->used == usage{7, 3, true});
  const auto again = with.requests().at(1).body;
  CHECK(again.contains(R"({"role":"assistant","content":"one two "})"));
  CHECK(again.contains(R"("continue_final_message":true)"));
}

TEST_CASE("a reply goes on with its text as the provider can") {
  auto what = hello();
  what.so_far = "half of ";
  for (const auto* style : {"none", "assistant", "vllm"}) {
    CAPTURE(style);
    auto with = fake_provider{{good_answer({"it"})}};
    auto settings = provider_at(with.url(), style);
    settings.prefill = style;
    auto world = chat_world{settings};
    CHECK(world.ask(what).text == "it");
    const auto body = with.requests().at(0).body;
    CHECK(body.contains(R"({"role":"assistant","content":"half of "})"));
    CHECK(body.contains(R"({"role":"user","content":"Your last message broke off)") ==
          (style == std::string_view{"none"}));
    CHECK(body.contains("continue_final_message") ==
          (style == std::string_view{"vllm"}));
  }
}

TEST_CASE("one that broke off while it went on goes on with both parts") {
  auto with = fake_provider{{broken_off({"it "}), good_answer({"all"})}};
  auto settings = provider_at(with.url(), "prefilled");
  settings.prefill = "assistant";
  auto world = chat_world{settings};
  auto what = hello();
  what.so_far = "half of ";
  auto one = asked_chat{*world.engine, std::move(what)};
  REQUIRE(one.heard->wait_for_tokens(1));
  with.release();
  CHECK(one.end().text == "it all");
  CHECK(with.requests().at(1).body.contains(
      R"({"role":"assistant","content":"half of it "})"));
}

TEST_CASE("the text that a reply has counts against its limit") {
  auto with = fake_provider{{good_answer({"more than fits"})}};
  auto settings = provider_at(with.url(), "small");
  settings.max_reply_bytes = 10;
  auto world = chat_world{settings};
  auto what = hello();
  what.so_far = "eight by";
  const auto& heard = world.ask(what);
  REQUIRE(heard.failed);
  CHECK(heard.text.empty());
}

TEST_CASE("else the job's next attempt begins anew") {
  auto with = fake_provider{{broken_off({"one "}), good_answer({"x"})}};
  auto spare = fake_provider{{good_answer({"y"})}};
  auto world = chat_world{
      {provider_at(with.url(), "fragile"), provider_at(spare.url(), "other")}};
  auto one = asked_chat{*world.engine, hello()};
  REQUIRE(one.heard->wait_for_tokens(1));
  with.release();
  const auto& heard = one.end();
  REQUIRE(heard.failed);
  CHECK(heard.failed->retryable);
  CHECK(with.requests().size() == 1);
  CHECK(spare.requests().empty());
}

TEST_CASE("a provider that keeps failing is left alone, then tried once") {
  auto with = fake_provider{{refused("500 Oops")}};
  auto settings = provider_at(with.url(), "flaky");
  settings.breaker_failures = 2;
  settings.breaker_pause = 200ms;
  auto world = chat_world{settings};
  REQUIRE(world.ask().failed);
  REQUIRE(world.ask().failed);
  with.set_scripts({good_answer({"back"})});
  const auto& heard = world.ask();
  REQUIRE(heard.failed);
  CHECK(heard.failed->retryable);
  CHECK(with.requests().size() == 2);
  const auto open = std::string{"jessica_engines_breaker_state{provider=\"flaky\"} "};
  CHECK(ops::metrics_page().contains(open + "2\n"));
  auto answered = false;
  for (auto left = 100; left > 0 && !answered; --left) {
    std::this_thread::sleep_for(20ms); // until the pause is over
    answered = world.ask().ended.has_value();
  }
  CHECK(answered);
  CHECK(with.requests().size() == 3);
  CHECK(ops::metrics_page().contains(open + "0\n"));
}

TEST_CASE("a listener that throws ends its own reply alone, and is not told twice") {
  auto with = fake_provider{{good_answer({"fine"})}};
  auto settings = provider_at(with.url(), "thrown");
  settings.breaker_failures = 1;
  auto world = chat_world{settings};
  auto heard = chat_listener{};
  auto ends = std::atomic<int>{0};
  const auto running =
      world.engine->start(hello(), [&, to = heard.sink()](engines::engine_event event) {
        ends += std::holds_alternative<engines::text_made>(event) ? 0 : 1;
        to(std::move(event));
        if (heard.ended)
          throw std::runtime_error{"not my day"};
      });
  REQUIRE(heard.wait());
  CHECK(world.ask().text == "fine");
  CHECK(ends == 1);
  CHECK_FALSE(heard.failed);
}

TEST_CASE("replies beyond a provider's places wait, and beyond its queue go on") {
  auto first = fake_provider{{broken_off({"a"}), good_answer({"b"})}};
  auto second = fake_provider{{good_answer({"c"})}};
  auto settings = provider_at(first.url(), "narrow");
  settings.max_concurrency = 1;
  settings.queue = 1;
  auto world = chat_world{{settings, provider_at(second.url(), "wide")}};
  auto one = asked_chat{*world.engine, hello()};
  REQUIRE(one.heard->wait_for_tokens(1));
  auto two = asked_chat{*world.engine, hello()};
  auto three = asked_chat{*world.engine, hello()};
  CHECK(three.end().text == "c");
  CHECK(first.requests().size() == 1);
  first.release();
  CHECK(one.end().failed);
  CHECK(two.end().text == "b");
}

TEST_CASE("who waits for a place may be stopped, and the place goes to the next") {
  auto with = fake_provider{{broken_off({"a"}), good_answer({"b"})}};
  auto settings = provider_at(with.url(), "single");
  settings.max_concurrency = 1;
  auto world = chat_world{settings};
  auto one = asked_chat{*world.engine, hello()};
  REQUIRE(one.heard->wait_for_tokens(1));
  {
    const auto stopped = asked_chat{*world.engine, hello()};
  }
  auto three = asked_chat{*world.engine, hello()};
  one.running.reset();
  CHECK(three.end().text == "b");
}

TEST_CASE("a stop closes the provider's connection, and nothing is told any more") {
  auto with = fake_provider{{{say{stream_head() + chunk(token("a"))}, stall{}}}};
  auto world = chat_world{provider_at(with.url(), "stopped")};
  auto one = asked_chat{*world.engine, hello()};
  REQUIRE(one.heard->wait_for_tokens(1));
  one.running.reset();
  CHECK(with.wait_for_open(0));
  CHECK_FALSE(one.heard->ended);
  CHECK_FALSE(one.heard->failed);
  // The provider may see the end before the loop has come to count it.
  const auto none_open = [] {
    return ops::metrics_page().contains(
        "jessica_engines_open_streams{provider=\"stopped\"} 0\n");
  };
  for (auto left = 1000; left > 0 && !none_open(); --left)
    std::this_thread::sleep_for(5ms);
  CHECK(none_open());
}

TEST_CASE("an engine that ends takes its replies with it") {
  auto with = fake_provider{{{stall{}}}};
  auto heard = chat_listener{};
  auto running = std::unique_ptr<generation>{};
  {
    auto world = chat_world{provider_at(with.url(), "ending")};
    running = world.engine->start(hello(), heard.sink());
    REQUIRE(with.wait_for_requests(1));
  }
  CHECK(with.wait_for_open(0));
}

TEST_CASE("a connection is used again, and replaced when it died meanwhile") {
  auto with = fake_provider{
      {good_answer({"1"}), good_answer({"2"}), {hang_up{}}, good_answer({"3"})}};
  auto settings = provider_at(with.url(), "kept");
  settings.keep_alive_connections = 4;
  auto world = chat_world{settings};
  CHECK(world.ask().text == "1");
  CHECK(world.ask().text == "2");
  CHECK(with.accepted() == 1);
  // It hangs up when it is asked: nobody notices, nothing is counted as failed.
  CHECK(world.ask().text == "3");
  CHECK(with.accepted() == 2);
  CHECK(with.requests().size() == 4);
}

TEST_CASE("an idle connection is closed after its time") {
  auto with = fake_provider{{good_answer({"1"})}};
  auto settings = provider_at(with.url(), "idle");
  settings.keep_alive_connections = 4;
  settings.keep_alive = 10ms;
  auto world = chat_world{settings};
  CHECK(world.ask().text == "1");
  CHECK(with.wait_for_open(0));
}

TEST_CASE("TLS works with a host that shows who it is, by name and by number") {
  for (const auto* const host : {"localhost", "127.0.0.1"}) {
    const auto identity = make_certificate(host);
    const auto trusted = trusted_file{identity};
    auto with = fake_provider{{good_answer({"safe"})}, identity};
    auto settings = provider_at(with.url(host), "tls");
    settings.ca_file = trusted.path;
    settings.keep_alive_connections = 1;
    auto world = chat_world{settings};
    CHECK(world.ask().text == "safe");
    CHECK(world.ask().text == "safe");
    CHECK(with.accepted() == 1);
  }
}

TEST_CASE("a proxy is asked with the whole address, or for a tunnel") {
  const auto identity = make_certificate("127.0.0.1");
  const auto trusted = trusted_file{identity};
  auto plain = fake_provider{{good_answer({"plain"})}};
  auto settings = provider_at("http://model.example/v1", "by-proxy");
  settings.proxy = "http://127.0.0.1:" + std::to_string(plain.port());
  {
    auto world = chat_world{settings};
    CHECK(world.ask().text == "plain");
    CHECK(plain.requests().at(0).target == "http://model.example/v1/chat/completions");
    CHECK(plain.requests().at(0).headers.at("host") == "model.example");
  }
  auto secured = fake_provider{{good_answer({"tunnel"})}, identity};
  auto proxy =
      fake_provider{{{say{"HTTP/1.1 200 Connected\r\n\r\n"}, relay{secured.port()}}}};
  settings.url = secured.url();
  settings.ca_file = trusted.path;
  settings.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  {
    auto world = chat_world{settings};
    CHECK(world.ask().text == "tunnel");
  }
  CHECK(proxy.requests().at(0).method == "CONNECT");
  CHECK_FALSE(proxy.requests().at(0).headers.contains("authorization"));
  proxy.set_scripts({{say{answer("403 Forbidden", "{}")}}});
  auto world = chat_world{settings};
  REQUIRE(world.ask().failed);
  CHECK(counted("by-proxy", "proxy_failed", 1));
}

TEST_CASE("without a model's name the provider's first one is asked for, once") {
  auto with = fake_provider{
      {{say{answer("200 OK",
                   R"({"data":[{"id":"nomic-embed-text"},{"id":"llama3"}]})")}},
       good_answer({"a"}),
       good_answer({"b"})}};
  auto settings = provider_at(with.url(), "ollama");
  settings.model.clear();
  settings.keep_alive_connections = 1;
  auto world = chat_world{settings};
  const auto& heard = world.ask();
  CHECK(heard.text == "a");
  CHECK(heard.models == std::vector<std::string>{"llama3"});
  CHECK(world.ask().text == "b");
  const auto seen = with.requests();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].method == "GET");
  CHECK(seen[0].target == "/v1/models");
  CHECK(seen[2].body.contains(R"("model":"llama3")"));
  CHECK(with.accepted() == 1);
}

TEST_CASE("what cannot work is refused when the engine is made") {
  auto settings = provider_at("ftp://x", "bad");
  CHECK(make_openai({settings}).error().what.contains("provider bad: the URL must"));
  settings = provider_at("https://x", "bad");
  settings.ca_file = "no-such-file.pem";
  CHECK(make_openai({settings}).error().what.contains("certificates cannot be read"));
  CHECK_FALSE(make_openai({}).has_value());
}
