#include "net/server.hpp"

#include "net/listener.hpp"
#include "net/reactor.hpp"
#include "net/router.hpp"
#include "ops/log.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <format>
#include <thread>
#include <vector>

namespace jessica::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

/// For sockets that were cut to run their last handlers.
constexpr auto last_words = std::chrono::milliseconds{1000};

std::size_t reactor_count(const config::net_settings& wish) {
  return wish.threads > 0 ? wish.threads
                          : std::max(1U, std::thread::hardware_concurrency() / 2);
}

[[nodiscard]] result<tcp::endpoint> endpoint_of(const config::net_settings& wish) {
  auto ec = boost::system::error_code{};
  const auto address = asio::ip::make_address(wish.host, ec);
  if (ec)
    return fail(errc::invalid_input,
                "net.host (--net-host) is not an IP address: " + wish.host);
  return tcp::endpoint{address, wish.port};
}

} // namespace

struct server::state {
  state(backend b, responder r)
      : with(std::move(b)),
        routes(std::move(r)),
        count(with.settings.net.max_connections) {}
  ~state() { stop({}); }

  result<void> open();
  void run();
  void stop(std::chrono::milliseconds drain);

  backend with;
  responder routes;
  connection_count count;
  std::vector<std::unique_ptr<reactor>> reactors;
  std::vector<std::unique_ptr<listener>> listeners;
  std::vector<std::jthread> threads;
  std::uint16_t port = 0;
};

result<void> server::state::open() {
  const auto& wish = with.settings.net;
  const auto wished = endpoint_of(wish);
  if (!wished)
    return std::unexpected{wished.error()};
  auto where = *wished;
  if (const auto is_free = check_free(where); !is_free)
    return std::unexpected{is_free.error()};
  for (auto left = reactor_count(wish); left > 0; --left) {
    auto& home = *reactors.emplace_back(std::make_unique<reactor>(with, routes, count));
    auto door = listener::open(home, where);
    if (!door)
      return std::unexpected{std::move(door.error())};
    where = (*door)->where(); // the others share the port that the first one got
    listeners.push_back(std::move(*door));
  }
  port = where.port();
  // From here on the settings say where we really are: tokens name us by it.
  auto& net = with.settings.net;
  net.port = port;
  if (net.public_url.empty())
    net.public_url = std::format(
        "http://{}:{}",
        where.address().is_v6() ? std::format("[{}]", net.host) : net.host, port);
  return {};
}

void server::state::run() {
  for (auto i = std::size_t{0}; i < reactors.size(); ++i) {
    listeners[i]->start();
    threads.emplace_back([home = reactors[i].get()] { home->run(); });
  }
  ops::info("server.listening", {{"host", with.settings.net.host},
                                 {"port", port},
                                 {"reactors", reactors.size()}});
}

void server::state::stop(std::chrono::milliseconds drain) {
  if (!threads.empty()) {
    for (auto i = std::size_t{0}; i < reactors.size(); ++i)
      reactors[i]->post([home = reactors[i].get(), door = listeners[i].get()] {
        door->close();
        home->retire_all();
      });
    count.wait_for_none(drain);
    for (const auto& home : reactors)
      home->post([home = home.get()] { home->cut_all(); });
    count.wait_for_none(last_words);
    for (const auto& home : reactors)
      home->post([home = home.get()] { home->stop(); });
    threads.clear(); // joins
  }
  listeners.clear();
  reactors.clear();
}

server::server(std::unique_ptr<state> made) : state_(std::move(made)) {}
server::server(server&&) noexcept = default;
server& server::operator=(server&&) noexcept = default;
server::~server() = default;

result<void> server::check(const config::net_settings& wish) {
  return endpoint_of(wish).and_then(check_free);
}

result<server> server::open(backend with) {
  return open(std::move(with), answer);
}

result<server> server::open(backend with, responder routes) {
  auto made = std::make_unique<state>(std::move(with), std::move(routes));
  if (const auto opened = made->open(); !opened)
    return std::unexpected{opened.error()};
  made->run();
  return server{std::move(made)};
}

std::uint16_t server::port() const noexcept {
  return state_->port;
}

std::string server::url() const {
  return state_->with.settings.net.public_url;
}

void server::stop(std::chrono::milliseconds drain) {
  state_->stop(drain);
}

} // namespace jessica::net
