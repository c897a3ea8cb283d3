#include "engines/name_book.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr auto remembered = std::chrono::seconds{30};
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

/// Where a lookup under way leaves its answer, if the loop still wants it.
struct letterbox {
  explicit letterbox(asio::io_context& to) : loop(&to) {}

  template <class Handler> void post(Handler what) {
    const auto hold = std::lock_guard{lock};
    if (loop != nullptr)
      asio::post(*loop, std::move(what));
  }
  void close() {
    const auto hold = std::lock_guard{lock};
    loop = nullptr;
  }

  std::mutex lock;
  asio::io_context* loop; ///< null: closed
};

[[nodiscard]] name_book::addresses ask_system(const std::string& host,
                                              const std::string& port) {
  auto own = asio::io_context{1}; // the thread's: nothing of it outlives the lookup
  auto ec = error_code{};
  const auto found = tcp::resolver{own}.resolve(host, port, ec);
  if (ec)
    return std::unexpected{ec.message()};
  auto all = std::vector<connection::endpoint>{};
  for (const auto& one : found)
    all.push_back(one.endpoint());
  return all;
}

} // namespace

struct name_book::state {
  using clock = std::chrono::steady_clock;

  struct entry {
    bool asking = false;
    std::uint64_t answers = 0; ///< so far
    std::vector<connection::endpoint> found;
    std::string failed;      ///< why; empty: it did not
    clock::time_point until; ///< good so long
    std::vector<asio::steady_timer*> waiting;
  };

  state(asio::io_context& loop, lookup asks)
      : ask_for(std::move(asks)), answers(std::make_shared<letterbox>(loop)) {}

  static void ask(const std::shared_ptr<state>& self, const std::string& host,
                  const std::string& port) {
    const auto key = host + ":" + port;
    self->names[key].asking = true;
    auto look = [ask_for = self->ask_for, to = self->answers, of = std::weak_ptr{self},
                 host, port, key] {
      to->post([of, key, found = ask_for(host, port)]() mutable {
        if (const auto book = of.lock())
          book->take(key, std::move(found));
      });
    };
    try {
      std::thread{std::move(look)}.detach();
    } catch (const std::system_error& why) {
      self->take(key, std::unexpected{std::string{why.what()}});
    }
  }

  void take(const std::string& key, addresses found) {
    auto& to = names[key];
    to.asking = false;
    ++to.answers;
    to.failed = found ? "" : found.error();
    to.found = found ? std::move(*found) : std::vector<connection::endpoint>{};
    if (to.found.empty() && to.failed.empty())
      to.failed = "it has no address";
    to.until = clock::now() + remembered;
    for (auto* const bell : std::exchange(to.waiting, {}))
      bell->cancel();
  }

  lookup ask_for;
  std::shared_ptr<letterbox> answers;
  std::map<std::string, entry> names; ///< few: the providers'
};

name_book::name_book(asio::io_context& loop) : name_book(loop, ask_system) {}
name_book::name_book(asio::io_context& loop, lookup asks)
    : state_(std::make_shared<state>(loop, std::move(asks))) {}
name_book::~name_book() {
  state_->answers->close();
}

auto name_book::find(const std::string& host, const std::string& port, interruption& by)
    -> asio::awaitable<
        std::expected<std::vector<connection::endpoint>, provider_fault>> {
  auto number = error_code{};
  if (const auto address = asio::ip::make_address(host, number); !number)
    co_return std::vector{
        connection::endpoint{address, static_cast<std::uint16_t>(std::stoul(port))}};
  const auto book = state_;
  auto& entry = book->names[host + ":" + port];
  if (entry.found.empty() || entry.until <= state::clock::now()) {
    const auto before = entry.answers;
    if (!entry.asking)
      state::ask(book, host, port);
    while (entry.answers == before && !by.why()) {
      entry.waiting.push_back(&by.bell());
      by.bell().expires_at(interruption::clock::time_point::max());
      co_await by.bell().async_wait(as_values);
      std::erase(entry.waiting, &by.bell());
    }
  }
  if (by.why() || !entry.failed.empty())
    co_return std::unexpected{provider_fault{fault_kind::name_unknown, entry.failed}};
  co_return entry.found;
}

} // namespace jessica::engines
