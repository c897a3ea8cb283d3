#include "net/http_session.hpp"
#include "socket_world.hpp"

#include <thread>

namespace jessica::test {
namespace {

struct world : socket_world {
  world() {
    settings.net.threads = 1;
    routes = [](net::http_request what,
                net::call in) -> boost::asio::awaitable<net::http_response> {
      if (what.path == "/throw")
        throw std::runtime_error{"a bug"};
      if (what.path == "/empty")
        co_return net::http_response{204, {}, {}};
      if (what.path == "/split")
        co_return net::http_response{200, {{"X-Bad", "a\r\nX-Evil: 1"}}, "ok"};
      if (what.path == "/big")
        co_return net::http_response{200, {}, std::string(8'000'000, 'b')};
      if (what.path == "/settings")
        co_return net::http_response{
            200, {}, std::to_string(in.with.settings.net.max_body_bytes)};
      auto said =
          std::format("{} {}?{} {}", what.method, what.path, what.query, what.body);
      if (what.has("x-one"))
        said += std::format(" [{}]", what.header("x-one"));
      if (what.path == "/from")
        said = what.remote_ip;
      co_return net::http_response{200, {{"Content-Type", "text/plain"}}, said};
    };
  }
};

} // namespace

TEST_SUITE("net.http_session") {
  TEST_CASE_FIXTURE(world, "a request reaches its route and the answer is whole") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("POST /a%20b?x=1&y=%2B HTTP/1.1\r\nHost: x\r\nX-One: Two\r\n"
                "Content-Length: 5\r\n\r\nhello");
    const auto answer = client.answer();
    CHECK(answer.status == 200);
    CHECK(answer.body == "POST /a%20b?x=1&y=%2B hello [Two]");
    CHECK(answer.has("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.has("\r\nDate: "));
    CHECK(answer.has(" GMT\r\n"));
    CHECK(answer.has("\r\nContent-Type: text/plain\r\n"));
    CHECK(answer.has("\r\nConnection: keep-alive\r\n"));
  }

  TEST_CASE_FIXTURE(world, "a connection serves one request after another") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    for (auto i = 0; i < 20; ++i) {
      client.send(std::format("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", i));
      CHECK(client.answer().body == std::format("GET /{}? ", i));
    }
  }

  TEST_CASE_FIXTURE(world, "pipelined requests are answered in order") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    auto all = std::string{};
    for (auto i = 0; i < 50; ++i)
      all += std::format(
          "POST /{} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{:02}", i, i);
    client.send(all);
    for (auto i = 0; i < 50; ++i)
      CHECK(client.answer().body == std::format("POST /{}? {:02}", i, i));
  }

  TEST_CASE_FIXTURE(world, "HEAD has the length of the body but no body") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(
        "HEAD /x HTTP/1.1\r\nHost: x\r\n\r\nGET /y HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = client.answer(false);
    CHECK(head.has("Content-Length: 9\r\n"));
    CHECK(client.answer().body == "GET /y? ");
  }

  TEST_CASE_FIXTURE(world, "204 has no length") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET /empty HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = client.answer();
    CHECK(answer.has("HTTP/1.1 204 No Content\r\n"));
    CHECK(!answer.has("Content-Length"));
  }

  TEST_CASE_FIXTURE(world, "Connection: close is obeyed, and is HTTP/1.0's default") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(client.answer().has("Connection: close\r\n"));
    CHECK(client.rest().empty());
    auto old = raw_client{at.port()};
    old.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(old.answer().has("Connection: close\r\n"));
    CHECK(old.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "a chunked body arrives whole") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    CHECK(client.answer().body == "POST /c? abcde");
  }

  TEST_CASE_FIXTURE(world, "Expect: 100-continue is answered before the body") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                "Expect: 100-continue\r\n\r\n");
    CHECK(client.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    CHECK(client.answer().body == "POST /e? ok");
  }

  TEST_CASE_FIXTURE(world, "a body over the limit is 413, announced or not") {
    settings.net.max_body_bytes = 1000;
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
    client.send(std::string(1001, 'x'));
    const auto answer = client.answer();
    CHECK(answer.status == 413);
    CHECK(answer.has("HTTP/1.1 413 Payload Too Large\r\n"));
    CHECK(answer.has("Access-Control-Allow-Origin: *\r\n"));
    CHECK(answer.body.starts_with("{"));
    auto chunked = raw_client{at.port()};
    chunked.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3e9\r\n" +
                 std::string(1001, 'x') + "\r\n0\r\n\r\n");
    CHECK(chunked.answer().status == 413);
    auto fits = raw_client{at.port()};
    fits.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" +
              std::string(1000, 'x'));
    CHECK(fits.answer().status == 200);
  }

  TEST_CASE_FIXTURE(world, "headers over the limit are 431") {
    settings.net.max_header_bytes = 1024;
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(2000, 'y') +
                "\r\n\r\n");
    const auto answer = client.answer();
    CHECK(answer.status == 431);
    CHECK(answer.has("Request Header Fields Too Large"));
    CHECK(client.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "what is not HTTP is 400 and the connection ends") {
    const auto at = serve();
    for (const auto& bytes :
         {"nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nbad\r\n\r\n",
          "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
          "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
      auto client = raw_client{at.port()};
      client.send(bytes);
      const auto answer = client.answer();
      CHECK(answer.status == 400);
      CHECK(answer.has("Content-Type: application/json"));
      client.end_sending();
      CHECK(client.rest().empty());
    }
  }

  TEST_CASE_FIXTURE(world, "half a request is closed when its time is over") {
    settings.net.header_timeout = 1s;
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET / HTTP/1.1\r\nHo");
    CHECK(client.rest().empty());
    auto body = raw_client{at.port()};
    body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
    CHECK(body.rest().empty());
    auto silent = raw_client{at.port()};
    CHECK(silent.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "the time of a request is not extended by more bytes") {
    settings.net.header_timeout = 1s;
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET / HTTP/1.1\r\nX: ");
    const auto drip = std::jthread{[&](const std::stop_token& stop) {
      while (!stop.stop_requested() && client.send("y"))
        std::this_thread::yield();
    }};
    const auto what = client.rest(); // 431 if the dripping was fast, else just the end
    CHECK((what.empty() || what.starts_with("HTTP/1.1 431")));
  }

  TEST_CASE_FIXTURE(world, "an idle connection is closed after its time") {
    settings.net.keep_alive = 1s;
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(client.answer().status == 200);
    CHECK(client.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "a route that throws is 500 and serving goes on") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(
        "GET /throw HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = client.answer();
    CHECK(answer.status == 500);
    CHECK(answer.body.find("a bug") == std::string::npos);
    CHECK(client.answer().body == "GET /b? ");
  }

  TEST_CASE_FIXTURE(world, "a route cannot break out of a header") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET /split HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto answer = client.answer();
    CHECK(answer.body == "ok");
    CHECK(!answer.has("X-Evil"));
  }

  TEST_CASE_FIXTURE(world, "a client that goes before its answer harms nobody") {
    const auto at = serve();
    {
      auto client = raw_client{at.port()};
      client.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    auto other = raw_client{at.port()};
    other.send("GET /settings HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(other.answer().body == "1048576");
  }

  TEST_CASE_FIXTURE(world, "a route is told the client's address") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET /from HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(client.answer().body == "127.0.0.1");
  }

  TEST_CASE_FIXTURE(world, "an upgrade elsewhere is an ordinary request") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    CHECK(client.handshake("/other").body == "GET /other? ");
  }
}

} // namespace jessica::test
