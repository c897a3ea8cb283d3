#include "engines/name_book.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr auto remembered = std::chrono::seconds{30};
constexpr auto as_values = asio::as_tuple(asio::use_awaitable);

} // namespace

/// Shared with the lookups under way.
struct name_book::state {
  using clock = std::chrono::steady_clock;

  struct entry {
    bool asking = false;
    std::uint64_t answers = 0; ///< so far
    std::vector<connection::endpoint> found;
    error_code failed;
    clock::time_point until; ///< good so long
    std::vector<asio::steady_timer*> waiting;
  };

  explicit state(asio::io_context& loop) : resolver(loop) {}

  static void ask(const std::shared_ptr<state>& self, const std::string& host,
                  const std::string& port) {
    self->names[host + ":" + port].asking = true;
    self->resolver.async_resolve(
        host, port,
        [self, key = host + ":" + port](const error_code& ec,
                                        const tcp::resolver::results_type& found) {
          self->take(self->names[key], ec, found);
        });
  }

  static void take(entry& to, const error_code& ec,
                   const tcp::resolver::results_type& found) {
    to.asking = false;
    ++to.answers;
    to.failed = ec;
    to.found.clear();
    if (!ec) {
      for (const auto& one : found)
        to.found.push_back(one.endpoint());
      to.until = clock::now() + remembered;
    }
    for (auto* const bell : std::exchange(to.waiting, {}))
      bell->cancel();
  }

  tcp::resolver resolver;
  std::map<std::string, entry> names; ///< few: the providers'
};

name_book::name_book(asio::io_context& loop) : state_(std::make_shared<state>(loop)) {}
name_book::~name_book() {
  state_->resolver.cancel();
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
  if (by.why() || entry.failed)
    co_return std::unexpected{
        provider_fault{fault_kind::name_unknown, entry.failed.message()}};
  co_return entry.found;
}

} // namespace jessica::engines
