#include "engines/openai_embedder.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <functional>
#include <mutex>
#include <thread>

using namespace jessica;
using namespace jessica::engines;
using namespace std::chrono_literals;

namespace {

/// What came in: headers as they were, and the body.
struct request {
  std::string head;
  std::string body;
};

/// The whole answer to the n-th request; "": silence, "cut": the line is closed.
using script = std::function<std::string(const request& asked, std::size_t n)>;

/// An HTTP server on loopback, one thread for each connection's whole life.
class scripted_server {
public:
  explicit scripted_server(script answers) : answers_{std::move(answers)} {
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto where = sockaddr_in{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto size = socklen_t{sizeof where};
    auto* const name = reinterpret_cast<sockaddr*>(&where);
    REQUIRE(::bind(listening_, name, size) == 0);
    REQUIRE(::listen(listening_, 16) == 0);
    REQUIRE(::getsockname(listening_, name, &size) == 0);
    port_ = ntohs(where.sin_port);
    thread_ = std::jthread{[this](const std::stop_token& end) { serve(end); }};
  }
  ~scripted_server() {
    thread_.request_stop();
    thread_.join();
    ::close(listening_);
  }

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
  }
  [[nodiscard]] std::vector<request> asked() const {
    const auto hold = std::lock_guard{lock_};
    return asked_;
  }
  [[nodiscard]] int connections() const {
    const auto hold = std::lock_guard{lock_};
    return connections_;
  }

private:
  [[nodiscard]] static bool wait(int socket, const std::stop_token& end) {
    constexpr auto look_ms = 10;
    while (!end.stop_requested()) {
      auto waits = pollfd{socket, POLLIN, 0};
      if (::poll(&waits, 1, look_ms) > 0)
        return true;
    }
    return false;
  }

  void serve(const std::stop_token& end) {
    auto clients = std::vector<std::jthread>{};
    while (wait(listening_, end)) {
      const auto client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0)
        return;
      {
        const auto hold = std::lock_guard{lock_};
        ++connections_;
      }
      clients.emplace_back([this, client](const std::stop_token& ends) {
        while (answer_one(client, ends)) {
        }
        ::close(client);
      });
    }
  }

  [[nodiscard]] static std::size_t length_of(const std::string& head) {
    constexpr auto name = std::string_view{"Content-Length: "};
    const auto at = head.find(name);
    auto length = std::size_t{0};
    if (at != head.npos)
      std::from_chars(head.data() + at + name.size(), head.data() + head.size(),
                      length);
    return length;
  }

  [[nodiscard]] bool answer_one(int client, const std::stop_token& end) {
    auto got = std::string{};
    auto piece = std::array<char, 16'384>{};
    auto head = std::string::npos;
    while (head == got.npos || got.size() < head + 4 + length_of(got.substr(0, head))) {
      if (!wait(client, end))
        return false;
      const auto size = ::recv(client, piece.data(), piece.size(), 0);
      if (size <= 0)
        return false;
      got.append(piece.data(), static_cast<std::size_t>(size));
      head = got.find("\r\n\r\n");
    }
    auto asked = request{got.substr(0, head), got.substr(head + 4)};
    auto n = std::size_t{0};
    {
      const auto hold = std::lock_guard{lock_};
      asked_.push_back(asked);
      n = asked_.size();
    }
    const auto says = answers_(asked, n);
    if (says.empty())
      return wait(client, end) && false; // until the client leaves
    if (says == "cut")
      return false;
    return ::send(client, says.data(), says.size(), MSG_NOSIGNAL) > 0;
  }

  script answers_;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex lock_;
  std::vector<request> asked_;
  int connections_ = 0;
  std::jthread thread_;
};

[[nodiscard]] std::string http(std::string_view status, std::string_view body,
                               std::string_view headers = "") {
  return "HTTP/1.1 " + std::string{status} + "\r\nContent-Type: application/json\r\n" +
         std::string{headers} + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string{body};
}

/// A vector for each input: the first says its place in the request.
[[nodiscard]] std::string good(const request& asked) {
  auto count = 0;
  const auto from = asked.body.find("\"input\":[");
  for (auto at = from; at < asked.body.find(']', from); ++at)
    count += asked.body.substr(at).starts_with("\",\"") ? 1 : 0;
  auto data = std::string{};
  for (auto i = 0; i <= count; ++i)
    data += (i == 0 ? "" : ",") + std::string{R"({"index":)"} + std::to_string(i) +
            R"(,"embedding":[)" + std::to_string(i) + ",1]}";
  return http("200 OK", R"({"data":[)" + data + "]}");
}

[[nodiscard]] config::embedding_settings asking(const std::string& url) {
  auto how = config::embedding_settings{};
  how.engine = "openai";
  how.openai_url = url;
  how.openai_model = "small";
  how.openai_key = "sesame";
  how.openai_dimensions = 2;
  how.openai_retry_after = 1ms;
  how.openai_timeout = 20s;
  return how;
}

using texts = std::vector<std::string>;

[[nodiscard]] auto embed(const config::embedding_settings& how, const texts& all,
                         text_purpose purpose = text_purpose::document) {
  return open_openai_embedder(how)->embed(all, purpose);
}

} // namespace

TEST_SUITE("engines.openai_embedder") {
  TEST_CASE("texts are sent as the API wants them, vectors come back with length 1") {
    const auto server =
        scripted_server{[](const request& asked, std::size_t) { return good(asked); }};
    const auto made = embed(asking(server.url() + "/"), {"one \"1\"", "two"});
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    REQUIRE(made->size() == 2);
    CHECK((*made)[0] == std::vector<float>{0, 1});
    CHECK((*made)[1][0] == doctest::Approx(0.7071).epsilon(0.001));
    const auto asked = server.asked().front();
    CHECK(asked.head.starts_with("POST /v1/embeddings HTTP/1.1\r\n"));
    CHECK(asked.head.contains("Authorization: Bearer sesame"));
    CHECK(asked.head.contains("Content-Type: application/json"));
    CHECK(asked.body ==
          R"({"model":"small","input":["one \"1\"","two"],"encoding_format":"float"})");
  }

  TEST_CASE("a base that ends with /v1 is the same, and no key sends no header") {
    const auto server =
        scripted_server{[](const request& asked, std::size_t) { return good(asked); }};
    auto how = asking(server.url() + "/v1");
    how.openai_key.clear();
    how.openai_ask_dimensions = true;
    CHECK(embed(how, {"one"}).has_value());
    CHECK(server.asked()[0].head.starts_with("POST /v1/embeddings "));
    CHECK_FALSE(server.asked()[0].head.contains("Authorization"));
    CHECK(server.asked()[0].body.contains(R"("dimensions":2)"));
  }

  TEST_CASE("many texts are several requests on one connection, in order") {
    const auto server =
        scripted_server{[](const request& asked, std::size_t) { return good(asked); }};
    auto how = asking(server.url());
    how.openai_batch = 2;
    const auto made = embed(how, {"a", "b", "c", "d", "e"});
    REQUIRE(made.has_value());
    CHECK(made->size() == 5);
    CHECK((*made)[4] == std::vector<float>{0, 1});
    CHECK(server.asked().size() == 3);
    CHECK(server.asked()[2].body.contains(R"(["e"])"));
    CHECK(server.connections() == 1);
    CHECK(embed(how, {}).value().empty());
    CHECK(server.asked().size() == 3);
  }

  TEST_CASE(
      "prefixes come before a text, what is too long is left out, none is empty") {
    const auto server =
        scripted_server{[](const request& asked, std::size_t) { return good(asked); }};
    auto how = asking(server.url());
    how.openai_query_prefix = "q: ";
    how.openai_max_tokens = 32;
    CHECK(embed(how, {"x"}, text_purpose::query).has_value());
    CHECK(server.asked()[0].body.contains(R"(["q: x"])"));
    CHECK(embed(how, {""}).has_value());
    CHECK(server.asked()[1].body.contains(R"([" "])"));
    CHECK(embed(how, {std::string(1000, 'x')}).has_value());
    CHECK(server.asked()[2].body.contains('"' + std::string(128, 'x') + '"'));
  }

  TEST_CASE("what may pass is tried again: 429, 5xx, a cut line") {
    const auto server = scripted_server{[](const request& asked, std::size_t n) {
      if (n == 1)
        return http("503 Service Unavailable", "{}");
      return n == 2 ? std::string{"cut"} : good(asked);
    }};
    CHECK(embed(asking(server.url()), {"one"}).has_value());
    CHECK(server.asked().size() == 3);
    CHECK(server.asked()[0].body == server.asked()[2].body);
  }

  TEST_CASE("attempts are counted, the last failure is told") {
    const auto server = scripted_server{[](const request&, std::size_t) {
      return http("429 Too Many Requests", R"({"error":{"message":"slow down"}})",
                  "Retry-After: 0\r\n");
    }};
    const auto made = embed(asking(server.url()), {"one"});
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::overloaded);
    CHECK(made.error().what.contains("429: slow down"));
    CHECK(server.asked().size() == 3);
  }

  TEST_CASE("a server that wants a long pause is left alone at once") {
    const auto server = scripted_server{[](const request&, std::size_t) {
      return http("429 Too Many Requests", "{}", "Retry-After: 3600\r\n");
    }};
    CHECK(embed(asking(server.url()), {"one"}).error().code == errc::overloaded);
    CHECK(server.asked().size() == 1);
  }

  TEST_CASE("the pause that the server asks for is kept") {
    const auto server = scripted_server{[](const request& asked, std::size_t n) {
      return n == 1 ? http("429 Too Many Requests", "{}", "Retry-After: 1\r\n")
                    : good(asked);
    }};
    const auto begun = std::chrono::steady_clock::now();
    CHECK(embed(asking(server.url()), {"one"}).has_value());
    CHECK(std::chrono::steady_clock::now() - begun >= 1s);
  }

  TEST_CASE("what will not pass is not tried again") {
    struct refusal {
      std::string_view status;
      errc code;
    };
    for (const auto& [status, code] :
         {refusal{"400 Bad Request", errc::invalid_input},
          refusal{"413 Content Too Large", errc::invalid_input},
          refusal{"401 Unauthorized", errc::unavailable},
          refusal{"404 Not Found", errc::unavailable},
          refusal{"302 Found", errc::unavailable}}) {
      CAPTURE(status);
      const auto server = scripted_server{[&](const request&, std::size_t) {
        return http(status, R"({"error":{"message":"not with sesame"}})");
      }};
      const auto made = embed(asking(server.url()), {"one"});
      REQUIRE_FALSE(made.has_value());
      CHECK(made.error().code == code);
      CHECK(server.asked().size() == 1);
      CHECK_FALSE(made.error().what.contains("sesame"));
      // Users see what is wrong with a text, not what the server says of it.
      CHECK(made.error().what.contains("not with ***") ==
            (code != errc::invalid_input));
    }
  }

  TEST_CASE("an answer that is none, or one without end, is an internal failure") {
    const auto server = scripted_server{[](const request&, std::size_t n) {
      return n == 1 ? http("200 OK", R"({"data":[{"index":0,"embedding":[1,2,3]}]})")
                    : http("200 OK", std::string(200'000, ' '));
    }};
    CHECK(embed(asking(server.url()), {"one"}).error().what.contains("3 numbers"));
    const auto endless = embed(asking(server.url()), {"one"});
    REQUIRE_FALSE(endless.has_value());
    CHECK(endless.error().code == errc::internal);
    CHECK(endless.error().what.contains("longer than"));
    CHECK(server.asked().size() == 2);
  }

  TEST_CASE("silence ends with the time limit") {
    const auto server =
        scripted_server{[](const request&, std::size_t) { return std::string{}; }};
    auto how = asking(server.url());
    how.openai_timeout = 1s;
    how.openai_attempts = 1;
    CHECK(embed(how, {"one"}).error().code == errc::timeout);
  }

  TEST_CASE("nobody there is unavailable") {
    auto how = asking("http://127.0.0.1:1");
    CHECK(embed(how, {"one"}).error().code == errc::unavailable);
  }

  TEST_CASE("stop ends a call that waits, and all later ones") {
    auto heard = std::atomic<bool>{false};
    const auto server = scripted_server{[&](const request&, std::size_t) {
      heard = true;
      heard.notify_all();
      return std::string{};
    }};
    const auto model = open_openai_embedder(asking(server.url()));
    auto made = result<std::vector<std::vector<float>>>{};
    {
      const auto caller = std::jthread{[&] {
        made = model->embed(std::array{std::string{"one"}}, text_purpose::query);
      }};
      heard.wait(false);
      model->stop();
    }
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().code == errc::unavailable);
    CHECK(model->embed(std::array{std::string{"one"}}, text_purpose::query)
              .error()
              .code == errc::unavailable);
    CHECK(server.asked().size() == 1);
  }

  TEST_CASE("several threads ask at once") {
    const auto server =
        scripted_server{[](const request& asked, std::size_t) { return good(asked); }};
    const auto model = open_openai_embedder(asking(server.url()));
    auto worked = std::atomic<int>{0};
    {
      auto threads = std::vector<std::jthread>{};
      for (auto i = 0; i < 8; ++i)
        threads.emplace_back([&] {
          for (auto n = 0; n < 5; ++n)
            if (model->embed(std::array{std::string{"a"}}, text_purpose::query))
              ++worked;
        });
    }
    CHECK(worked == 40);
    CHECK(server.connections() <= 8);
  }

  TEST_CASE("it names model and width, cuts and counts by an estimate") {
    auto how = asking("http://127.0.0.1:1");
    how.match_percent = 40;
    how.openai_max_tokens = 32;
    const auto model = open_openai_embedder(how);
    CHECK(model->traits().id == "small@2");
    CHECK(model->traits().dimensions == 2);
    CHECK(model->traits().match_threshold == doctest::Approx(0.4));
    CHECK(model->count_tokens("four letters") == 3);
    CHECK(model->split(std::string(300, 'x')).size() == 3);
  }
}
