#include "engines/name_book.hpp"

#include <boost/asio/co_spawn.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <semaphore>

TEST_SUITE_BEGIN("engines.name_book");

namespace {

using namespace jessica::engines;
using namespace std::chrono_literals;
using answer = std::expected<std::vector<connection::endpoint>, provider_fault>;

/// Asks on `loop` and runs it until the answer is there.
[[nodiscard]] std::optional<answer> ask(boost::asio::io_context& loop, name_book& book,
                                        std::chrono::milliseconds within) {
  auto by = interruption{loop};
  by.set_limit(interruption::clock::now() + within);
  const auto host = std::string{"model.example"}; // the coroutine keeps references
  const auto port = std::string{"80"};
  auto got = std::optional<answer>{};
  boost::asio::co_spawn(loop, book.find(host, port, by),
                        [&](const std::exception_ptr& broken, answer found) {
                          by.clear_limit();
                          if (!broken)
                            got = std::move(found);
                        });
  loop.restart();
  while (!got && loop.run_one() > 0)
    ;
  return got;
}

} // namespace

TEST_CASE(
    "a lookup that never ends holds nobody: not who asks, the book, or its loop") {
  struct shared {
    std::binary_semaphore may_go{0};
    std::binary_semaphore gone{0};
  };
  const auto blocked = std::make_shared<shared>();
  {
    auto loop = boost::asio::io_context{1};
    auto book = name_book{loop, [blocked](const auto&, const auto&) {
                            blocked->may_go.acquire();
                            blocked->gone.release();
                            return name_book::addresses{};
                          }};
    const auto got = ask(loop, book, 20ms);
    REQUIRE(got);
    REQUIRE_FALSE(*got);
    CHECK(got->error().kind == fault_kind::name_unknown);
  }
  blocked->may_go.release();
  blocked->gone.acquire(); // and its answer comes to nobody
}

TEST_CASE("a name is asked for once, and its addresses are remembered") {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  auto loop = boost::asio::io_context{1};
  const auto there =
      connection::endpoint{boost::asio::ip::make_address("192.0.2.1"), 80};
  auto book = name_book{loop, [=](const auto&, const auto&) {
                          ++*asked;
                          return name_book::addresses{{there}};
                        }};
  for (auto i = 0; i < 2; ++i) {
    const auto got = ask(loop, book, 10s);
    REQUIRE(got);
    REQUIRE(*got);
    CHECK(**got == std::vector{there});
  }
  CHECK(*asked == 1);
}

TEST_CASE("a name without an address is unknown, and asked for again") {
  const auto asked = std::make_shared<std::atomic<int>>(0);
  auto loop = boost::asio::io_context{1};
  auto book = name_book{loop, [=](const auto&, const auto&) {
                          ++*asked;
                          return name_book::addresses{};
                        }};
  for (auto i = 0; i < 2; ++i) {
    const auto got = ask(loop, book, 10s);
    REQUIRE(got);
    REQUIRE_FALSE(*got);
    CHECK(got->error().kind == fault_kind::name_unknown);
  }
  CHECK(*asked == 2);
}
