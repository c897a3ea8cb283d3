#include "bench/load/fleet.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <format>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;

/// Handshakes at a time: less than any accept queue.
constexpr auto handshakes = std::size_t{128};
constexpr auto space_bytes = std::size_t{256} << 10;

} // namespace

fleet::fleet(ws_client::listener& to)
    : to_(to), epoll_(::epoll_create1(EPOLL_CLOEXEC)), space_(space_bytes) {
  if (!epoll_)
    failure_ = error{errc::unavailable, std::strerror(errno), {}, nullptr};
}

result<void> fleet::open(const ws_address& to, std::size_t clients, seconds limit) {
  const auto wanted = clients_.size() + clients;
  const auto end = clock::now() + limit;
  while (opened_ < wanted) {
    while (clients_.size() < std::min(wanted, opened_ + handshakes))
      if (auto begun = begin_one(to); !begun)
        return begun;
    const auto before = opened_;
    const auto left = std::chrono::ceil<seconds>(end - clock::now());
    if (auto ran = run([&] { return opened_ > before; }, left); !ran)
      return ran;
  }
  return {};
}

result<void> fleet::begin_one(const ws_address& to) {
  auto made = ws_client::begin(to, clients_.size());
  if (!made)
    return std::unexpected{std::move(made.error())};
  auto interest = epoll_event{};
  interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  interest.data.u64 = clients_.size();
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, made->socket(), &interest) != 0)
    return fail(errc::unavailable, std::strerror(errno));
  clients_.push_back(std::move(*made));
  return {};
}

void fleet::send(std::size_t client, opcode kind, std::string_view payload) {
  if (auto sent = clients_[client].send(kind, payload); !sent)
    lose(client, sent.error());
}

result<void> fleet::run(const std::function<bool()>& done, seconds limit) {
  const auto end = clock::now() + limit;
  while (!failure_ && !done()) {
    const auto left = std::chrono::nanoseconds{end - clock::now()};
    if (left <= left.zero())
      return fail(errc::timeout, "the clients were not done in time");
    turn(std::min(left, longest_turn_));
  }
  if (failure_)
    return std::unexpected{*failure_};
  return {};
}

void fleet::turn(std::chrono::nanoseconds wait) {
  auto ready = std::array<epoll_event, 512>{};
  const auto seconds_of_it = std::chrono::floor<seconds>(wait);
  const auto longest = timespec{seconds_of_it.count(), (wait - seconds_of_it).count()};
  const auto count = ::epoll_pwait2(epoll_.number(), ready.data(),
                                    static_cast<int>(ready.size()), &longest, nullptr);
  for (auto i = 0; i < count && !failure_; ++i) {
    const auto& event = ready[static_cast<std::size_t>(i)];
    const auto number = static_cast<std::size_t>(event.data.u64);
    auto& client = clients_[number];
    const auto was_open = client.is_open();
    const auto ended = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (auto moved = client.advance(space_, ended, to_); !moved)
      lose(number, moved.error());
    if (client.is_open() && !was_open) {
      ++opened_;
      to_.opened(number);
    }
  }
}

void fleet::lose(std::size_t client, const error& why) {
  if (!failure_)
    failure_ =
        error{why.code, std::format("client {}: {}", client, why.what), {}, nullptr};
}

} // namespace jessica::bench
