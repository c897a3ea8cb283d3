#include "bench/load/channel_fleet.hpp"

#include <algorithm>
#include <format>

namespace jessica::bench {
namespace {

/// Joins that wait for their answer: enough to keep the server busy, and well within
/// its queue of reads.
constexpr auto joins_at_once = std::size_t{512};

} // namespace

result<void> channel_fleet::open(const ws_address& to, std::span<const seat> seats,
                                 fleet::seconds limit) {
  for (const auto& one : seats)
    seats_.push_back({one, join_ref, false});
  return sockets_.open(to, seats.size(), limit);
}

result<void> channel_fleet::join(join_options how, fleet::seconds limit) {
  auto next = joined_;
  return run(
      [&] {
        for (; next < std::min(seats_.size(), joined_ + joins_at_once); ++next) {
          const auto& where = seats_[next].where;
          sockets_.send(next, opcode::text,
                        join_message(where.topic, where.token, how));
        }
        return joined_ == seats_.size();
      },
      limit);
}

std::uint64_t channel_fleet::broadcast(std::size_t client, std::string_view event,
                                       std::string_view payload) {
  auto& from = seats_[client];
  const auto ref = ++from.last_ref;
  sockets_.send(client, opcode::binary,
                broadcast_message(from.where.topic, ref, event, payload));
  return ref;
}

void channel_fleet::heartbeat(std::size_t client) {
  sockets_.send(client, opcode::text, heartbeat_message(++seats_[client].last_ref));
}

result<void> channel_fleet::run(const std::function<bool()>& done,
                                fleet::seconds limit) {
  auto ran = sockets_.run([&] { return failure_ || done(); }, limit);
  if (ran && failure_)
    return std::unexpected{*failure_};
  return ran;
}

void channel_fleet::frame(std::size_t client, const server_frame& what) {
  const auto read = read_message(what);
  if (!read) {
    failure_ = error{errc::invalid_input, "the server sent no message", {}, nullptr};
  } else if (read->kind == message::what::reply && read->ref == join_ref) {
    answered(client, *read);
  } else if (read->event == "phx_error" || read->event == "phx_close") {
    failure_ =
        error{errc::unavailable,
              std::format("client {} lost its channel: {}", client, read->payload),
              {},
              nullptr};
  } else {
    to_.heard(client, *read);
  }
}

void channel_fleet::answered(std::size_t client, const message& what) {
  auto& at = seats_[client];
  if (what.ok && !at.joined) {
    at.joined = true;
    ++joined_;
  } else {
    failure_ = error{errc::forbidden,
                     std::format("joining {}: {}", at.where.topic, what.payload),
                     {},
                     nullptr};
  }
}

} // namespace jessica::bench
