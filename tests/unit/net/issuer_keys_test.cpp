#include "net/issuer_keys.hpp"
#include "tests/unit/wire/signed_tokens.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace jessica::test {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using std::chrono::milliseconds;

/// Answers one connection after the other with what it was given, the last one for
/// good.
class canned_server {
public:
  explicit canned_server(std::vector<std::string> answers)
      : answers_(std::move(answers)), thread_([this] { run(); }) {}
  ~canned_server() {
    closing_ = true;
    auto io = asio::io_context{};
    auto last = tcp::socket{io};
    auto ignored = boost::system::error_code{};
    last.connect(door_.local_endpoint(), ignored);
  }
  canned_server(const canned_server&) = delete;
  canned_server& operator=(const canned_server&) = delete;

  [[nodiscard]] std::string url() const {
    return "http://127.0.0.1:" + std::to_string(door_.local_endpoint().port()) +
           "/keys";
  }
  [[nodiscard]] std::size_t asked() const { return asked_; }

private:
  void run() {
    for (;;) {
      auto ec = boost::system::error_code{};
      auto client = tcp::socket{io_};
      door_.accept(client, ec);
      if (closing_)
        return;
      auto request = asio::streambuf{};
      asio::read_until(client, request, "\r\n\r\n", ec);
      const auto n = asked_++;
      asio::write(client, asio::buffer(answers_[std::min(n, answers_.size() - 1)]), ec);
    }
  }

  std::vector<std::string> answers_;
  asio::io_context io_;
  tcp::acceptor door_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  std::atomic<bool> closing_{false};
  std::atomic<std::size_t> asked_{0};
  std::jthread thread_;
};

[[nodiscard]] std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string{body};
}

[[nodiscard]] std::string set_of(std::string_view key) {
  return R"({"keys":[)" + std::string{key} + "]}";
}

[[nodiscard]] result<std::string> fetch(const canned_server& from) {
  return net::fetch_document(from.url(), {});
}

} // namespace

TEST_SUITE("net.issuer_keys") {
  TEST_CASE("a document comes whole, within bounds") {
    CHECK(*fetch(canned_server{{ok("text")}}) == "text");
    CHECK(fetch(canned_server{{ok(std::string(256 << 10, 'x'))}})->size() == 256 << 10);
    const auto large = fetch(canned_server{{ok(std::string((256 << 10) + 1, 'x'))}});
    REQUIRE_FALSE(large);
    CHECK(large.error().code == errc::unavailable);
  }

  TEST_CASE("another answer than 200 is none, nor is a redirect followed") {
    auto target = canned_server{{ok("secret of the inside")}};
    const auto moved = "HTTP/1.1 302 Found\r\nLocation: " + target.url() +
                       "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    CHECK_FALSE(fetch(canned_server{{moved}}));
    CHECK(target.asked() == 0);
    CHECK_FALSE(fetch(canned_server{{"HTTP/1.1 404 Not Found\r\n\r\n"}}));
    CHECK_FALSE(fetch(canned_server{{"nonsense"}}));
    CHECK_FALSE(fetch(canned_server{{""}}));
  }

  TEST_CASE("only http and https are spoken") {
    for (const auto* url : {"file:///etc/hostname", "ftp://127.0.0.1/x", "",
                            "127.0.0.1:1", "gopher://127.0.0.1/"})
      CHECK_FALSE(net::fetch_document(url, {}));
  }

  TEST_CASE("a stop ends a fetch that would wait") {
    auto io = asio::io_context{};
    auto silent = tcp::acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    auto stop = std::stop_source{};
    stop.request_stop();
    CHECK_FALSE(net::fetch_document(
        "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/",
        stop.get_token()));
  }

  TEST_CASE("keys are fetched at once, and again for a token with an unknown one") {
    const auto issuer = std::make_shared<wire::trusted_issuer>("https://i.test", "");
    const auto server = canned_server{{ok(set_of(ec_public)), ok(set_of(rsa_public))}};
    const auto watch = net::issuer_keys{issuer, server.url(), milliseconds{1}};
    watch.wait_for_first();
    CHECK(issuer->keys()->find("ec-1") != nullptr);
    CHECK(server.asked() == 1);
    issuer->miss();
    while (issuer->version() < 2)
      std::this_thread::yield();
    CHECK(issuer->keys()->find("ec-1") == nullptr);
    CHECK(issuer->keys()->find("rsa-1") != nullptr);
  }

  TEST_CASE(
      "what cannot be fetched or read leaves the keys we have, and is tried again") {
    const auto issuer = std::make_shared<wire::trusted_issuer>("https://i.test", "");
    issuer->use(*wire::key_ring::read_public(set_of(ec_public)));
    const auto server = canned_server{
        {"HTTP/1.1 500 Oops\r\n\r\n", ok("<html>"), ok(set_of(rsa_public))}};
    const auto watch = net::issuer_keys{issuer, server.url(), milliseconds{1}};
    watch.wait_for_first();
    CHECK(issuer->version() >= 1);
    while (issuer->version() < 2)
      std::this_thread::yield();
    CHECK(server.asked() == 3);
    CHECK(issuer->keys()->find("rsa-1") != nullptr);
  }

  TEST_CASE("many misses within the pause are one fetch") {
    const auto issuer = std::make_shared<wire::trusted_issuer>("https://i.test", "");
    const auto server = canned_server{{ok(set_of(ec_public))}};
    {
      const auto watch = net::issuer_keys{issuer, server.url(), std::chrono::hours{1}};
      watch.wait_for_first();
      for (auto i = 0; i < 1000; ++i)
        issuer->miss();
    } // stops at once, however long the pause
    CHECK(server.asked() == 1);
  }
}

} // namespace jessica::test
