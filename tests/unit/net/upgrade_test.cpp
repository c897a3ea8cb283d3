#include "net/upgrade.hpp"
#include "socket_world.hpp"

namespace jessica::test {
namespace {

struct world : socket_world {
  world() { settings.net.threads = 1; }

  /// The answer to a handshake with these lines between Host and the end.
  static http_answer shake(const net::server& at, std::string_view headers,
                           std::string_view start = {}) {
    auto client = raw_client{at.port()};
    client.send(start.empty() ? std::format("GET {} HTTP/1.1\r\n", socket_path)
                              : std::string{start});
    client.send(std::format("Host: x\r\n{}\r\n", headers));
    auto answer = client.answer();
    if (answer.status != 101) {
      client.end_sending();
      CHECK(client.rest().empty());
    }
    return answer;
  }
};

constexpr auto upgrade =
    std::string_view{"Upgrade: websocket\r\nConnection: Upgrade\r\n"};
constexpr auto version = std::string_view{"Sec-WebSocket-Version: 13\r\n"};
constexpr auto key =
    std::string_view{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"};

} // namespace

TEST_SUITE("net.upgrade") {
  TEST_CASE("an origin is allowed by name, or any is") {
    CHECK(net::origin_allowed("", "https://evil.example"));
    CHECK(net::origin_allowed("  ", "https://evil.example"));
    const auto list = " https://chat.example ,http://localhost:5173,, null";
    CHECK(net::origin_allowed(list, "https://chat.example"));
    CHECK(net::origin_allowed(list, "HTTPS://Chat.Example"));
    CHECK(net::origin_allowed(list, "http://localhost:5173"));
    CHECK(net::origin_allowed(list, "null"));
    for (const auto& other :
         {"", " ", "https://chat.example.evil", "http://chat.example", "chat.example",
          "https://chat.example:8443", "https://a.chat.example",
          "https://chat.example/", "http://localhost"})
      CHECK_FALSE(net::origin_allowed(list, other));
    CHECK_FALSE(net::origin_allowed(",", "https://chat.example"));
  }

  TEST_CASE_FIXTURE(world, "a page of another origin is refused before the upgrade") {
    settings.net.allowed_origins = "https://chat.example, http://localhost:5173";
    const auto at = serve();
    const auto from = [&](std::string_view origins) {
      auto client = raw_client{at.port()};
      return client.handshake(socket_path, origins);
    };
    CHECK(from("Origin: https://chat.example\r\n").status == 101);
    CHECK(from("origin: http://localhost:5173\r\n").status == 101);
    CHECK(from("").status == 101); // not a browser
    REQUIRE(log.wait("session", 3));
    const auto refused = from("Origin: https://evil.example\r\n");
    CHECK(refused.status == 403);
    CHECK(refused.body == R"({"error":"Not allowed"})");
    CHECK(from("Origin: null\r\n").status == 403);
    CHECK(from("Origin:\r\n").status == 403);
    CHECK(from("Origin: https://chat.example\r\nOrigin: https://evil.example\r\n")
              .status == 403);
    CHECK(log.count("session") == 3);
  }

  TEST_CASE_FIXTURE(world, "any origin is welcome where none is named") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    CHECK(client.handshake(socket_path, "Origin: https://evil.example\r\n").status ==
          101);
  }

  TEST_CASE_FIXTURE(world, "Sec-WebSocket-Key is 16 bytes in base64, once") {
    const auto at = serve();
    const auto with = [&](std::string_view keys) {
      return shake(at, std::format("{}{}{}", upgrade, version, keys)).status;
    };
    CHECK(with(key) == 101);
    CHECK(with("sec-websocket-KEY:   AAAAAAAAAAAAAAAAAAA+/w==  \r\n") == 101);
    for (const auto& bad : {"", "Sec-WebSocket-Key:\r\n", "Sec-WebSocket-Key: x\r\n",
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n",
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n",
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25-_Q==\r\n",
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ====\r\n",
                            "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n"})
      CHECK(with(bad) == 400);
    CHECK(with(std::format("{}{}", key, key)) == 400);
    CHECK(with("Sec-WebSocket-Key: " + std::string(5000, 'A') + "\r\n") == 400);
    CHECK(log.wait("session", 2));
    CHECK(log.count("session") == 2);
  }

  TEST_CASE_FIXTURE(world, "another version of the protocol is told ours") {
    const auto at = serve();
    for (const auto& other : {"8", "0", "14", "130", "x", "", "8, 13"}) {
      const auto answer = shake(
          at, std::format("{}{}Sec-WebSocket-Version: {}\r\n", upgrade, key, other));
      CHECK(answer.status == 426);
      CHECK(answer.has("Sec-WebSocket-Version: 13\r\n"));
    }
    CHECK(shake(at, std::format("{}{}", upgrade, key)).status == 400);
    CHECK(log.count("session") == 0);
  }

  TEST_CASE_FIXTURE(world, "the names of an upgrade may be written in any way") {
    const auto at = serve();
    for (const auto& names :
         {"UPGRADE: WebSocket\r\nconnection: keep-alive, upgrade\r\n",
          "Upgrade: foo, websocket\r\nConnection: Upgrade , close\r\n"})
      CHECK(shake(at, std::format("{}{}{}", names, version, key)).status == 101);
  }

  TEST_CASE_FIXTURE(world, "what asks for no upgrade is an ordinary request") {
    routes = [](net::http_request what,
                net::call) -> boost::asio::awaitable<net::http_response> {
      co_return net::http_response{404, {}, what.path};
    };
    const auto at = serve();
    for (const auto& names : {"", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n",
                              "Upgrade: h2c\r\nConnection: Upgrade\r\n",
                              "Upgrade: websocket\r\nConnection: keep-alive\r\n"})
      CHECK(shake(at, std::format("Connection: close\r\n{}{}{}", names, version, key))
                .body == "/realtime/v1/websocket");
    const auto all = std::format("{}{}{}Connection: close\r\n", upgrade, version, key);
    for (const auto& method : {"POST {} HTTP/1.1\r\n", "GET {} HTTP/1.0\r\n"})
      CHECK(shake(at, all, std::vformat(method, std::make_format_args(socket_path)))
                .status == 404);
  }

  TEST_CASE_FIXTURE(world, "no Host, no WebSocket") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(std::format("GET {} HTTP/1.1\r\n{}{}{}\r\n", socket_path, upgrade,
                            version, key));
    CHECK(client.answer().status == 400);
    CHECK(client.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "a handshake that comes too slowly is cut") {
    settings.net.header_timeout = 1s;
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(std::format("GET {} HTTP/1.1\r\nHost: x\r\n{}{}", socket_path, upgrade,
                            version));
    CHECK(client.rest().empty());
    CHECK(log.count("session") == 0);
  }
}

} // namespace jessica::test
