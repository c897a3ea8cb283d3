#include "actors/slow_readers.hpp"

#include <algorithm>

namespace jessica::actors {

std::optional<delta_start> slow_readers::next(const member& to, message_id reply,
                                              delta_start now) {
  const auto found = std::ranges::find_if(marks_, [&](const mark& one) {
    return one.socket == to.socket && one.reply == reply;
  });
  const auto waiting = to.out->backlog();
  if (found == marks_.end()) {
    if (waiting <= slow_above)
      return now;
    marks_.push_back({to.socket, reply, now});
    return std::nullopt;
  }
  if (waiting >= quick_below)
    return std::nullopt;
  const auto from = found->from;
  marks_.erase(found);
  return from;
}

std::vector<slow_readers::mark> slow_readers::take(message_id reply) {
  const auto others = std::ranges::stable_partition(
      marks_, [&](const mark& one) { return one.reply != reply; });
  auto taken = std::vector<mark>(others.begin(), others.end());
  marks_.erase(others.begin(), others.end());
  return taken;
}

void slow_readers::forget(socket_number socket) {
  std::erase_if(marks_, [&](const mark& one) { return one.socket == socket; });
}

} // namespace jessica::actors
