#include "engines/connection.hpp"
#include "tests/fixtures/fake_provider.hpp"
#include "tests/unit/engines/model_folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <memory>
#include <vector>

TEST_SUITE_BEGIN("engines.connection");

namespace {

using namespace jessica;
using namespace jessica::engines;
using namespace std::chrono_literals;
using tcp = boost::asio::ip::tcp;
using clock_type = std::chrono::steady_clock;

/// Runs it to its end.
void run(boost::asio::io_context& loop, boost::asio::awaitable<void> what) {
  auto failed = std::exception_ptr{};
  boost::asio::co_spawn(loop, std::move(what),
                        [&](const std::exception_ptr& broken) { failed = broken; });
  loop.run();
  loop.restart();
  CHECK_FALSE(failed);
}

/// Takes no connection: its queue has one place, and somebody has it.
class full_listener {
public:
  full_listener() {
    at_.open(tcp::v4());
    at_.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
    at_.listen(0);
    waits_.connect(where());
  }
  [[nodiscard]] tcp::endpoint where() const { return at_.local_endpoint(); }

private:
  boost::asio::io_context loop_{1};
  tcp::acceptor at_{loop_};
  tcp::socket waits_{loop_};
};

} // namespace

TEST_CASE("an address that does not answer leaves time for the next one") {
  const auto silent = full_listener{};
  auto loop = boost::asio::io_context{1};
  auto there = tcp::acceptor{loop, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  const auto addresses = std::vector{silent.where(), there.local_endpoint()};
  auto link = connection{loop};
  run(loop, [&]() -> boost::asio::awaitable<void> {
    const auto failed = co_await link.connect(addresses, clock_type::now() + 200ms);
    CHECK_FALSE(failed.has_value());
  }());
  CHECK(link.is_quiet());
}

TEST_CASE("a connection with something unread is not quiet, in TLS' buffers either") {
  const auto identity = test::make_certificate("127.0.0.1");
  const auto folder = test::model_folder{};
  folder.write("ca.pem", identity.certificate);
  auto with =
      test::fake_provider{{{test::say{test::answer("200 OK", "{}")}}}, identity};
  auto loop = boost::asio::io_context{1};
  auto trust = tls_trust::open((folder.path() / "ca.pem").string());
  REQUIRE(trust);
  auto link = connection{loop};
  run(loop, [&]() -> boost::asio::awaitable<void> {
    const auto to = std::vector{
        tcp::endpoint{boost::asio::ip::make_address("127.0.0.1"), with.port()}};
    const auto lost = co_await link.connect(to, clock_type::now() + 10s);
    CHECK_FALSE(lost.has_value());
    const auto open = co_await link.secure(**trust, "127.0.0.1");
    CHECK_FALSE(open.has_value());
    const auto sent = co_await link.write("GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(sent.has_value());
    auto first = char{};
    const auto begun = co_await link.read(boost::asio::buffer(&first, 1));
    CHECK(begun.value_or(0) == 1);
    CHECK_FALSE(link.is_quiet());
    auto rest = std::vector<char>(4096);
    const auto got = co_await link.read(boost::asio::buffer(rest));
    CHECK(got.value_or(0) > 1);
    CHECK(link.is_quiet());
  }());
}
