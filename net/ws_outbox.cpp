#include "net/ws_outbox.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace jessica::net {
namespace {

/// Sockets written to in one go; then the reactor gets to read. Half a millisecond.
constexpr auto flushes_per_turn = std::size_t{64};
/// A longer list is given back after its burst.
constexpr auto kept_entries = std::size_t{65'536};

/// The lane whose release() will drain what this thread puts in.
thread_local const outbox_lane* held = nullptr;

template <class T> void empty(std::vector<T>& list) {
  if (list.capacity() > kept_entries)
    std::vector<T>{}.swap(list);
  else
    list.clear();
}

} // namespace

outbox_lane::address outbox_lane::add(frame_sink& sink) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const auto slot = free_.back();
  free_.pop_back();
  places_[slot].sink = &sink;
  return {slot, places_[slot].generation};
}

void outbox_lane::remove(ws_outbox& box) noexcept {
  box.end();
  auto* const at = find(box.where_);
  if (!at)
    return;
  *at = {nullptr, at->generation + 1, false};
  free_.push_back(box.where_.slot);
}

void outbox_lane::close() noexcept {
  auto dropped = std::vector<delivery>{}; // frames are freed outside the lock
  const auto hold = std::lock_guard{lock_};
  open_ = false;
  dropped.swap(incoming_);
}

bool outbox_lane::put(delivery what) {
  if (held == this && !scheduled_.load(std::memory_order_acquire)) {
    working_.push_back(std::move(what)); // release() is near
    return true;
  }
  const auto hold = std::lock_guard{lock_};
  if (!open_)
    return false;
  incoming_.push_back(std::move(what));
  if (!scheduled_.exchange(true, std::memory_order_release) && held != this)
    wake(); // under the lock: close() then knows that nobody uses the reactor any more
  return true;
}

void outbox_lane::hold() noexcept {
  held = this;
}

void outbox_lane::release() {
  if (std::exchange(held, nullptr) == this)
    drain();
}

void outbox_lane::wake() {
  boost::asio::post(reactor_, [this] { drain(); });
}

void outbox_lane::drain() {
  if (scheduled_.load(std::memory_order_acquire)) {
    const auto hold = std::lock_guard{lock_};
    if (working_.empty())
      working_.swap(incoming_);
    else
      std::ranges::move(incoming_, std::back_inserter(working_));
    empty(incoming_);
  }
  hand_out();
  flush_some();
  if (dirty_.empty() && !scheduled_.load(std::memory_order_acquire))
    return;
  const auto hold = std::lock_guard{lock_};
  scheduled_ = open_ && (!incoming_.empty() || !dirty_.empty());
  if (scheduled_)
    wake();
}

void outbox_lane::hand_out() {
  for (auto& next : working_) {
    auto* const at = find(next.to);
    if (!at)
      continue;
    if (next.code != 0) {
      at->sink->shut(next.code);
      continue;
    }
    at->sink->take(std::move(next.what));
    if (!std::exchange(at->dirty, true))
      dirty_.push_back(next.to);
  }
  empty(working_);
}

void outbox_lane::flush_some() {
  const auto end = std::min(dirty_.size(), flushed_ + flushes_per_turn);
  for (; flushed_ < end; ++flushed_)
    if (auto* const at = find(dirty_[flushed_])) {
      at->dirty = false;
      at->sink->flush();
    }
  if (flushed_ == dirty_.size()) {
    empty(dirty_);
    flushed_ = 0;
  }
}

outbox_lane::place* outbox_lane::find(address where) noexcept {
  auto& at = places_[where.slot];
  return at.sink && at.generation == where.generation ? &at : nullptr;
}

std::shared_ptr<ws_outbox> ws_outbox::open(std::shared_ptr<outbox_lane> lane,
                                           frame_sink& sink, std::size_t limit_bytes) {
  const auto where = lane->add(sink);
  return std::make_shared<ws_outbox>(std::move(lane), where, limit_bytes);
}

ws_outbox::ws_outbox(std::shared_ptr<outbox_lane> lane, outbox_lane::address where,
                     std::size_t limit_bytes)
    : lane_(std::move(lane)), where_(where), limit_bytes_(limit_bytes) {}

bool ws_outbox::push(wire::frame what) noexcept {
  if (closed_.load(std::memory_order_relaxed))
    return false;
  const auto size = what->size();
  if (queued_bytes_.fetch_add(size, std::memory_order_relaxed) + size > limit_bytes_) {
    close(actors::close_code::try_again_later);
    return false;
  }
  return lane_->put({where_, 0, std::move(what)});
}

void ws_outbox::close(std::uint16_t code) noexcept {
  if (!closed_.exchange(true, std::memory_order_relaxed))
    lane_->put({where_, code, nullptr});
}

void ws_outbox::sent(std::size_t bytes) noexcept {
  queued_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

void ws_outbox::end() noexcept {
  closed_.store(true, std::memory_order_relaxed);
}

} // namespace jessica::net
