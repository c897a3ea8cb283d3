// docs/engines.md, "What can go wrong", row by row. Each row: what is told, whether the
// job may be tried again, what is counted, and that nothing stays open.
#include "tests/fixtures/chat_world.hpp"

#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

TEST_SUITE_BEGIN("engines.fault_table");

namespace {

using namespace jessica;
using namespace jessica::engines;
using namespace jessica::test;
using namespace std::chrono_literals;

struct expected_fault {
  std::string kind;
  std::string shown; ///< the beginning of it
  bool retryable = true;
  std::string text = {}; ///< told before
};

/// Asks once, and holds the row against what happened.
void check_row(config::provider_settings settings, const expected_fault& row) {
  settings.name = row.kind + std::to_string(std::hash<std::string>{}(settings.url));
  auto world = chat_world{settings};
  const auto& heard = world.ask();
  REQUIRE(heard.failed);
  CHECK_FALSE(heard.ended);
  CHECK(heard.failed->what.starts_with(row.shown));
  CHECK(heard.failed->retryable == row.retryable);
  CHECK(heard.text == row.text);
  CHECK(counted(settings.name, row.kind, 1));
}

void check_row(fake_provider& with, const expected_fault& row,
               config::provider_settings settings) {
  settings.url = settings.url.empty() ? with.url() : settings.url;
  check_row(std::move(settings), row);
  CHECK(with.wait_for_open(0));
}

void check_row(fake_provider& with, const expected_fault& row) {
  check_row(with, row, provider_at({}, {}));
}

/// Asks once; the reply must be whole.
void check_whole(const script& what, const std::string& text,
                 const std::string& reason = "stop", bool estimated = false) {
  auto with = fake_provider{{what}};
  auto world = chat_world{provider_at(with.url(), "whole")};
  const auto& heard = world.ask();
  REQUIRE_MESSAGE(heard.ended, heard.failed->what);
  CHECK(heard.text == text);
  CHECK(heard.ended->finish_reason == reason);
  CHECK(heard.ended->used.estimated == estimated);
  CHECK(with.wait_for_open(0));
}

script status(std::string_view line, std::string_view body,
              std::string_view headers = {}) {
  return {say{answer(line, body, headers)}};
}

constexpr auto no_model = "The language model cannot be reached.";
constexpr auto broken = "The language model's answer was broken.";

script sixty_tokens(std::size_t until) {
  auto what = script{say{stream_head()}};
  for (auto i = std::size_t{0}; i < until; ++i)
    what.emplace_back(say{chunk(token("x"))});
  return what;
}

} // namespace

TEST_CASE("01 a provider that nobody runs is unreachable") {
  auto url = std::string{};
  {
    const auto gone = fake_provider{{{}}};
    url = gone.url();
  }
  check_row(provider_at(url, {}), {"unreachable", no_model});
}

TEST_CASE("02 a name without an address is unreachable") {
  // Where no name server answers, the limit says so.
  auto settings = provider_at("http://nobody.invalid/v1", "names");
  settings.connect_timeout = 2s;
  auto world = chat_world{settings};
  const auto& heard = world.ask();
  REQUIRE(heard.failed);
  CHECK(heard.failed->what == no_model);
  CHECK(heard.failed->retryable);
  CHECK(
      (counted("names", "name_unknown", 1) || counted("names", "connect_timeout", 1)));
}

TEST_CASE("03 a certificate of another host ends it before the key is sent") {
  const auto other = make_certificate("other.example");
  auto with = fake_provider{{good_answer({"x"})}, other};
  auto settings = provider_at({}, {});
  settings.ca_file = "wrong_host_ca.pem";
  std::ofstream{settings.ca_file} << other.certificate;
  check_row(with, {"tls_failed", "The language model is not set up", false}, settings);
  CHECK(with.requests().empty());
  std::filesystem::remove(settings.ca_file);
}

TEST_CASE("04 a certificate that nobody vouches for does, too") {
  auto with = fake_provider{{good_answer({"x"})}, make_certificate("127.0.0.1")};
  check_row(with, {"tls_failed", "The language model is not set up", false});
  CHECK(with.requests().empty());
}

TEST_CASE("05 a wrong key is not tried again, and its words are not shown") {
  auto with = fake_provider{{status(
      "401 Unauthorized", R"({"error":{"message":"Incorrect API key: sk-secret"}})")}};
  check_row(with, {"unauthorized", "The language model is not set up", false});
}

TEST_CASE("06 a model that does not exist is not tried again") {
  auto with = fake_provider{
      {status("404 Not Found", R"({"error":{"message":"model 'small' not found"}})")}};
  check_row(with, {"not_found", "The language model does not exist.", false});
}

TEST_CASE("07 a question that is refused is told with the provider's words") {
  auto with = fake_provider{
      {status("400 Bad Request",
              R"({"error":{"message":"context length exceeded by key-1"}})")}};
  auto settings = provider_at({}, {});
  settings.key = "key-1";
  check_row(with,
            {"bad_request",
             "The language model refused the question. context length exceeded by ***",
             false},
            settings);
}

TEST_CASE("08 a rate limit without a time is tried again later") {
  auto with = fake_provider{{status("429 Too Many Requests", "{}")}};
  check_row(with, {"rate_limited", "The language model is busy"});
  CHECK(with.requests().size() == 1);
}

TEST_CASE("09 a rate limit with a time is waited for") {
  auto with =
      fake_provider{{status("429 Too Many Requests", "{}", "Retry-After: 0.2\r\n"),
                     good_answer({"ok"})}};
  auto world = chat_world{provider_at(with.url(), "patient")};
  const auto& heard = world.ask();
  REQUIRE(heard.ended);
  CHECK(heard.text == "ok");
  CHECK(counted("patient", "rate_limited", 1));
}

TEST_CASE("10 a rate limit with a time beyond our patience is not waited for") {
  auto with =
      fake_provider{{status("429 Too Many Requests", "{}", "Retry-After: 3600\r\n")}};
  check_row(with, {"rate_limited", "The language model is busy"});
  CHECK(with.requests().size() == 1);
}

TEST_CASE("11 a server error is tried again later") {
  auto with = fake_provider{{status("500 Internal Server Error", "oops")}};
  check_row(with, {"server_error", "The language model failed."});
}

TEST_CASE("12 a server that is overloaded is tried again later") {
  auto with = fake_provider{{status("503 Service Unavailable", "{}")}};
  check_row(with, {"server_error", "The language model failed."});
}

TEST_CASE("13 a redirect is not followed: the key stays here") {
  auto with = fake_provider{
      {status("307 Temporary Redirect", "", "Location: http://127.0.0.1:1/\r\n")}};
  check_row(with, {"redirected", "The language model is not set up", false});
}

TEST_CASE("14 a page instead of an answer is no answer") {
  auto with = fake_provider{{status("200 OK", "<html>welcome</html>")}};
  check_row(with, {"unexpected_answer", broken, false});
}

TEST_CASE("14 a stream of its end alone is none either") {
  auto with = fake_provider{{{say{stream_head() + chunk(done_word()) + last_chunk()}}}};
  check_row(with, {"unexpected_answer", broken, false});
}

TEST_CASE("15 what is no HTTP is broken") {
  auto with = fake_provider{{{say{"SSH-2.0-OpenSSH\r\n\r\n"}, stall{}}}};
  check_row(with, {"malformed", broken});
}

TEST_CASE("16 silence instead of an answer ends at the first token's limit") {
  auto with = fake_provider{{{stall{}}}};
  auto settings = provider_at({}, {});
  settings.first_token_timeout = 100ms;
  check_row(with, {"first_token_late", "The language model took too long."}, settings);
}

TEST_CASE("17 a header without tokens ends there, too") {
  auto with = fake_provider{{{say{stream_head() + chunk(": waiting\n\n")}, stall{}}}};
  auto settings = provider_at({}, {});
  settings.first_token_timeout = 100ms;
  check_row(with, {"first_token_late", "The language model took too long."}, settings);
}

TEST_CASE("18 a stream that stalls ends at the limit between tokens") {
  auto what = sixty_tokens(3);
  what.emplace_back(stall{});
  auto with = fake_provider{{what}};
  auto settings = provider_at({}, {});
  settings.token_timeout = 100ms;
  check_row(with, {"stalled", "The language model took too long.", true, "xxx"},
            settings);
}

TEST_CASE("19 a stream that breaks off after 40 of 60 tokens is not complete") {
  for (const auto hard : {false, true}) {
    auto what = sixty_tokens(40);
    what.emplace_back(hold{});
    what.emplace_back(hang_up{hard});
    auto with = fake_provider{{what}};
    auto world = chat_world{provider_at(with.url(), hard ? "reset" : "closed")};
    auto one = asked_chat{*world.engine, hello()};
    REQUIRE(one.heard->wait_for_tokens(40));
    with.release();
    const auto& heard = one.end();
    REQUIRE(heard.failed);
    CHECK(heard.failed->what == "The language model's answer broke off.");
    CHECK(heard.failed->retryable);
    CHECK(heard.text == std::string(40, 'x'));
    CHECK(heard.tokens == 40);
    CHECK(counted(hard ? "reset" : "closed", "cut", 1));
    CHECK(with.wait_for_open(0));
  }
}

TEST_CASE("20 a body that ends orderly without an end of the text is cut") {
  auto what = sixty_tokens(2);
  what.emplace_back(say{last_chunk()});
  auto with = fake_provider{{what}};
  check_row(with, {"cut", "The language model's answer broke off.", true, "xx"});
}

TEST_CASE("21 a chunk that is no JSON ends it") {
  auto what = sixty_tokens(2);
  what.emplace_back(say{chunk("data: {\"choices\":[{\n\n")});
  what.emplace_back(stall{});
  auto with = fake_provider{{what}};
  check_row(with, {"malformed", broken, true, "xx"});
}

TEST_CASE("22 bytes that are no UTF-8 end it") {
  auto what = sixty_tokens(1);
  what.emplace_back(say{chunk(token("\xff\xfe"))});
  what.emplace_back(stall{});
  auto with = fake_provider{{what}};
  check_row(with, {"malformed", broken, true, "x"});
}

TEST_CASE("23 an error object in the stream ends it") {
  auto what = sixty_tokens(2);
  what.emplace_back(say{chunk(R"(data: {"error":{"message":"GPU lost","code":500}})"
                              "\n\n")});
  what.emplace_back(stall{});
  auto with = fake_provider{{what}};
  check_row(with, {"reported", "The language model failed.", true, "xx"});
}

TEST_CASE("24 a line without end ends it") {
  auto with = fake_provider{
      {{say{stream_head()}, repeat{chunk("data: " + std::string(65'536, 'y'))}}}};
  check_row(with, {"too_long", "The language model's answer was too long.", false});
}

TEST_CASE("25 a stream without end ends at what a message may hold") {
  auto with = fake_provider{{{say{stream_head()}, repeat{chunk(token("again "))}}}};
  auto settings = provider_at(with.url(), "endless");
  settings.max_reply_bytes = 6000;
  auto world = chat_world{settings};
  const auto& heard = world.ask();
  REQUIRE(heard.failed);
  CHECK_FALSE(heard.failed->retryable);
  CHECK(heard.text.size() <= 6000);
  CHECK(counted("endless", "too_long", 1));
  CHECK(with.wait_for_open(0));
}

TEST_CASE("26 the whole answer has a limit") {
  // Tokens come all the time, so that no other limit passes.
  auto with = fake_provider{{{say{stream_head()}, repeat{chunk(token(""))}}}};
  auto settings = provider_at({}, {});
  settings.total_timeout = 150ms;
  check_row(with, {"total_timeout", "The language model took too long.", false},
            settings);
}

TEST_CASE("27 unknown fields, comments, a BOM and odd line ends change nothing") {
  check_whole({say{stream_head() +
                   chunk("\xef\xbb\xbf: hello\r\nretry: 5\r\nid: 7\r\n"
                         "event: message\r\ndata: {\"choices\":[{\"delta\":"
                         "{\"content\":\"a\",\"tool_calls\":null},\"logprobs\":{}}],"
                         "\"x\":[1]}\r\n\r\n") +
                   chunk("data: {\"choices\":[{\"delta\":\r"
                         "data: {\"content\":\"b\"}}]}\r\r") +
                   chunk(finish() + used(1, 2) + done_word()) + last_chunk()}},
              "ab");
}

TEST_CASE("28 pieces may be cut anywhere: in a code point, between CR and LF") {
  const auto body =
      "data: {\"choices\":[{\"delta\":{\"content\":\"h\xc3\xa9\xf0\x9f\x98"
      "\x80\"}}]}\r\n\r\n" +
      finish() + used(1, 1) + done_word();
  auto what = script{say{stream_head()}};
  for (const auto byte : body)
    what.emplace_back(say{chunk(std::string(1, byte))});
  what.emplace_back(say{last_chunk()});
  check_whole(what, "h\xc3\xa9\xf0\x9f\x98\x80");
}

TEST_CASE("29 a stream without [DONE] is complete when it says why it ended") {
  check_whole(
      {say{stream_head() + chunk(token("a") + finish("length")) + last_chunk()}}, "a",
      "length", true);
}

TEST_CASE("30 one without the reason is complete when it says [DONE]") {
  check_whole({say{stream_head() + chunk(token("a") + done_word()) + last_chunk()}},
              "a", "stop", true);
}

TEST_CASE("31 missing usage is estimated, and says so") {
  auto with = fake_provider{
      {{say{stream_head() + chunk(token("a") + token("b") + finish() + done_word()) +
            last_chunk()}}}};
  auto world = chat_world{provider_at(with.url(), "uncounted")};
  const auto& heard = world.ask();
  REQUIRE(heard.ended);
  CHECK(heard.ended->used ==
        usage{5, 2, true}); // "hello" and what is around it, two chunks
}

TEST_CASE("32 a text that is whole stays whole when its connection dies behind it") {
  check_whole({say{stream_head() + chunk(token("a") + finish())}, hang_up{true}}, "a",
              "stop", true);
}

TEST_CASE("33 an answer in one piece is taken") {
  check_whole(status("200 OK",
                     R"({"choices":[{"index":0,"message":{"role":"assistant",)"
                     R"("content":"all at once"},"finish_reason":"stop"}],)"
                     R"("usage":{"prompt_tokens":3,"completion_tokens":3}})"),
              "all at once");
}

TEST_CASE("34 an answer in one piece that breaks off is not") {
  auto with = fake_provider{{{say{"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
                                  R"({"choices":[{"message":{"content":"all)"},
                              hang_up{}}}};
  check_row(with, {"cut", "The language model's answer broke off."});
}

TEST_CASE("35 a first byte that comes late comes in time") {
  auto with = fake_provider{
      {{hold{}, say{stream_head()}, hold{},
        say{chunk(token("late") + finish() + done_word()) + last_chunk()}}}};
  auto world = chat_world{provider_at(with.url(), "slow")};
  auto one = asked_chat{*world.engine, hello()};
  with.release();
  with.release();
  CHECK(one.end().text == "late");
}

TEST_CASE("36 tokens that come ten thousand at once all arrive, in order") {
  auto body = std::string{};
  auto text = std::string{};
  for (auto i = 0; i < 10'000; ++i) {
    body += chunk(token(std::to_string(i) + " "));
    text += std::to_string(i) + " ";
  }
  check_whole({say{stream_head() + body +
                   chunk(finish() + used(1, 10'000) + done_word()) + last_chunk()}},
              text);
}

TEST_CASE("37 comments behind the end do not keep a finished reply open") {
  auto with = fake_provider{{{say{stream_head() + chunk(token("a") + finish())},
                              repeat{chunk(": ping\n\n")}}}};
  auto settings = provider_at(with.url(), "pinging");
  settings.total_timeout = 150ms;
  auto world = chat_world{settings};
  const auto& heard = world.ask();
  REQUIRE(heard.ended);
  CHECK(heard.text == "a");
  CHECK(heard.ended->finish_reason == "stop");
  CHECK(with.wait_for_open(0));
}

TEST_CASE("38 after all this nothing spins") {
  auto with = fake_provider{{{stall{}}}};
  auto settings = provider_at(with.url(), "quiet");
  settings.first_token_timeout = 50ms;
  auto world = chat_world{settings};
  REQUIRE(world.ask().failed);
  REQUIRE(with.wait_for_open(0));
  const auto cpu = [] {
    auto spent = rusage{};
    getrusage(RUSAGE_SELF, &spent);
    return std::chrono::seconds{spent.ru_utime.tv_sec + spent.ru_stime.tv_sec} +
           std::chrono::microseconds{spent.ru_utime.tv_usec + spent.ru_stime.tv_usec};
  };
  const auto before = cpu();
  std::this_thread::sleep_for(300ms); // a loop that spins burns all of it
  CHECK(cpu() - before < 150ms);
}
