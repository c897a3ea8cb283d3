#include "net/server.hpp"
#include "socket_world.hpp"

#include <boost/asio/use_awaitable.hpp>

#include <future>
#include <optional>

namespace jessica::test {

TEST_SUITE("net.server") {
  TEST_CASE_FIXTURE(socket_world, "all reactors share the port that was found") {
    settings.net.threads = 3;
    routes = [](net::http_request,
                net::call) -> boost::asio::awaitable<net::http_response> {
      co_return net::http_response{200, {}, "here"};
    };
    const auto at = serve();
    CHECK(at.port() != 0);
    CHECK(at.url() == std::format("http://127.0.0.1:{}", at.port()));
    for (auto i = 0; i < 30; ++i) { // whichever reactor gets them
      auto client = raw_client{at.port()};
      client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      CHECK(client.answer().body == "here");
    }
  }

  TEST_CASE_FIXTURE(socket_world, "a public address is told when one is set") {
    settings.net.public_url = "https://chat.example";
    CHECK(serve().url() == "https://chat.example");
  }

  TEST_CASE_FIXTURE(socket_world, "a taken port is a conflict that names it") {
    const auto first = serve();
    settings.net.port = first.port();
    const auto second = net::server::open(backend(), routes);
    REQUIRE(!second);
    CHECK(second.error().code == errc::conflict);
    CHECK(second.error().what.find(std::format("127.0.0.1:{}", first.port())) !=
          std::string::npos);
  }

  TEST_CASE_FIXTURE(socket_world, "a stopped server's port is free again") {
    auto first = serve();
    settings.net.port = first.port();
    auto client = connect(first);
    first.stop(0ms);
    const auto second = net::server::open(backend(), routes);
    CHECK(second.has_value());
  }

  TEST_CASE_FIXTURE(socket_world, "an address that is none is invalid input") {
    for (const auto& host : {"no such place", "203.0.113.77"}) {
      settings.net.host = host;
      const auto opened = net::server::open(backend(), routes);
      REQUIRE(!opened);
      CHECK(opened.error().code == errc::invalid_input);
    }
  }

  TEST_CASE_FIXTURE(socket_world,
                    "a connection over the limit gets 503, later ones not") {
    settings.net.max_connections = 2;
    const auto at = serve();
    auto first = connect(at);
    auto second = connect(at);
    CHECK(raw_client{at.port()}.rest().starts_with("HTTP/1.1 503 "));
    first.hang_up();
    REQUIRE(log.wait("socket_closed"));
    // SESSION hears of the end a moment before the place is free.
    const auto deadline = std::chrono::steady_clock::now() + patience;
    auto third = std::optional<raw_client>{at.port()};
    while (third->handshake(socket_path).status != 101) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      third.emplace(at.port());
    }
    third->send_text("echo in");
    CHECK(third->frame().payload == "in");
  }

  TEST_CASE_FIXTURE(socket_world,
                    "stopping closes sockets with 1012 after what was pushed") {
    auto at = serve();
    auto clients = std::vector<raw_client>{};
    for (auto i = 0; i < 10; ++i)
      clients.push_back(connect(at));
    for (auto& out : outboxes)
      out->push(text_frame("one more"));
    auto stopped = std::async(std::launch::async, [&] { at.stop(10s); });
    for (auto& client : clients) {
      CHECK(client.frame().payload == "one more");
      CHECK(client.frame().code() == 1012);
      client.send_frame(8, std::string{"\x03\xe9", 2});
      CHECK(client.rest().empty());
    }
    REQUIRE(stopped.wait_for(patience) == std::future_status::ready);
    CHECK(log.wait("socket_closed", 10));
    for (auto& out : outboxes)
      CHECK(!out->push(text_frame("too late")));
  }

  TEST_CASE_FIXTURE(socket_world, "stopping cuts clients that do not answer") {
    auto at = serve();
    auto client = connect(at);
    auto holding = connect(at);
    holding.send_text("hold"); // SESSION owes an answer for ever
    REQUIRE(log.wait("text:hold"));
    auto half = raw_client{at.port()};
    half.send("GET /");
    at.stop(100ms);
    CHECK(log.wait("socket_closed", 2));
    at.stop(100ms); // idempotent
  }

  TEST_CASE_FIXTURE(socket_world, "a request under way is answered before the end") {
    auto released = std::promise<void>{};
    auto gate = released.get_future();
    routes = [&](net::http_request,
                 net::call) -> boost::asio::awaitable<net::http_response> {
      log.note("asked");
      gate.wait(); // a route never blocks; here it stands for work that takes long
      co_return net::http_response{200, {}, "done"};
    };
    settings.net.threads = 1;
    auto at = serve();
    auto idle = raw_client{at.port()};
    auto busy = raw_client{at.port()};
    busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(log.wait("asked"));
    auto stopped = std::async(std::launch::async, [&] { at.stop(10s); });
    released.set_value();
    CHECK(busy.answer().body == "done");
    busy.hang_up();
    CHECK(idle.rest().empty());
    CHECK(stopped.wait_for(patience) == std::future_status::ready);
  }

  TEST_CASE_FIXTURE(socket_world,
                    "questions that are open at the end are not left hanging") {
    const auto silent = sys.spawn(obedient_session, &log, actors::outbox_ptr{});
    routes = [&](net::http_request,
                 net::call in) -> boost::asio::awaitable<net::http_response> {
      log.note("asked");
      const auto answer = co_await in.actors.ask<actors::verdict>(
          silent, actors::client_frame{"hold", false}, 60s);
      if (!answer && answer.error().code == errc::unavailable)
        log.note("told");
      co_return net::http_response{503, {}, {}};
    };
    auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(log.wait("asked"));
    at.stop(10ms);
    CHECK(log.count("told") == 1);
    caf::anon_send(silent, actors::socket_closed{});
  }

  TEST_CASE_FIXTURE(socket_world,
                    "a server that is moved goes on, one that is dropped stops") {
    auto client = [&] {
      auto at = serve();
      auto moved = std::move(at);
      auto made = connect(moved);
      made.send_text("echo x");
      CHECK(made.frame().payload == "x");
      return made;
    }();
    client.rest();
    CHECK(log.wait("socket_closed"));
  }
}

} // namespace jessica::test
