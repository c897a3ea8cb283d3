#include "actors/broadcast_feed.hpp"

#include "ops/log.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

constexpr auto most_remembered = std::size_t{4096};
constexpr auto longest_transaction = std::chrono::minutes{10};

} // namespace

bool broadcast_feed::fits(const storage::stored_broadcast& what) const {
  if (what.payload.size() <= max_bytes_)
    return true;
  ops::warn("broadcast.too_large",
            {{"id", what.id.str()}, {"bytes", what.payload.size()}});
  return false;
}

void broadcast_feed::remember(const storage::stored_broadcast& what) {
  if (!ids_.insert(what.id).second)
    return;
  order_.push_back({what.id, what.inserted});
  if (order_.size() <= most_remembered)
    return;
  horizon_ = std::max(horizon_, order_.front().inserted);
  ids_.erase(order_.front().id);
  order_.pop_front();
}

stored_ptr broadcast_feed::take(const storage::row_change& change, std::uint32_t xid) {
  auto read = storage::broadcast_of(change);
  if (!read || !fits(*read))
    return nullptr;
  read->xid = xid;
  remember(*read);
  return std::make_shared<const storage::stored_broadcast>(std::move(*read));
}

storage::missed_wish broadcast_feed::missed(std::size_t most) const {
  auto wish = storage::missed_wish{
      .since = told_before(), .known = {}, .max_bytes = max_bytes_, .most = most};
  for (const auto& one : order_)
    wish.known.push_back(one.id);
  return wish;
}

std::vector<stored_ptr>
broadcast_feed::take_missed(std::vector<storage::stored_broadcast> read) {
  auto missed = std::vector<stored_ptr>{};
  for (auto& one : read) {
    if (ids_.contains(one.id) || !fits(one))
      continue;
    remember(one);
    missed.push_back(std::make_shared<const storage::stored_broadcast>(std::move(one)));
  }
  return missed;
}

timestamp broadcast_feed::told_before() const {
  return std::max(horizon_, alive_ - longest_transaction);
}

} // namespace jessica::actors
