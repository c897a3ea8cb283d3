#include "net/reactor.hpp"

#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <functional>
#include <utility>

namespace jessica::net {
namespace {

constexpr auto tick_every = std::chrono::milliseconds{200};

ops::gauge& connections() {
  static auto gauge =
      ops::gauge{"jessica_net_connections", "Open sockets, HTTP and WebSocket."};
  return gauge;
}

} // namespace

bool connection_count::take() noexcept {
  if (open_.fetch_add(1) >= limit_) {
    open_.fetch_sub(1);
    return false;
  }
  connections().add(1);
  return true;
}

void connection_count::give_back() noexcept {
  connections().add(-1);
  if (open_.fetch_sub(1) != 1)
    return;
  const auto hold = std::lock_guard{lock_}; // so that a waiter cannot miss it
  none_.notify_all();
}

bool connection_count::wait_for_none(std::chrono::milliseconds limit) {
  auto hold = std::unique_lock{lock_};
  return none_.wait_for(hold, limit, [this] { return open_ == 0; });
}

reactor::reactor(const backend& with, const responder& routes, connection_count& count)
    : with_(with),
      routes_(routes),
      count_(count),
      lane_(std::make_shared<outbox_lane>(context_)),
      asker_(with.actors, context_.get_executor(), [this] { lane_->release(); }) {
  if (with.sockets) {
    watched_ = std::make_shared<watched_sockets>(context_, asker_);
    with.sockets->attach(watched_);
  }
  tick();
}

reactor::~reactor() {
  if (watched_)
    watched_->close();
  context_.shutdown();
}

void reactor::run() {
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& what) { // a bug in one handler; the others go on
      ops::error("reactor.exception", {{"what", what.what()}});
    }
  }
}

void reactor::post(std::function<void()> what) {
  boost::asio::post(context_, std::move(what));
}

void reactor::add(connection& who, std::chrono::milliseconds limit) {
  who.place_ = open_.size();
  open_.push_back({&who, clock::now() + limit});
}

void reactor::remove(connection& who) noexcept {
  auto& hole = open_[who.place_];
  hole = open_.back();
  hole.who->place_ = who.place_;
  open_.pop_back();
}

void reactor::set_limit(connection& who, std::chrono::milliseconds limit) noexcept {
  open_[who.place_].deadline = clock::now() + limit;
}

void reactor::clear_limit(connection& who) noexcept {
  open_[who.place_].deadline = clock::time_point::max();
}

void reactor::retire_all() {
  retiring_ = true;
  for (auto* const who : all())
    who->retire();
}

void reactor::cut_all() {
  retiring_ = true;
  lane_->close();
  for (auto* const who : all())
    who->cut();
  if (watched_)
    watched_->close();
  asker_.close();
  report_traffic();
}

void reactor::tick() {
  timer_.expires_after(tick_every);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (ec)
      return;
    look_at_all();
    report_traffic();
    tick();
  });
}

void reactor::look_at_all() {
  const auto now = clock::now();
  auto late = std::vector<connection*>{};
  auto unlimited = std::vector<connection*>{};
  for (const auto& one : open_)
    if (one.deadline <= now)
      late.push_back(one.who);
    else if (one.deadline == clock::time_point::max())
      unlimited.push_back(one.who);
  for (auto* const who : unlimited)
    who->look(); // removes nobody
  for (auto* const who : late)
    who->expire(); // removes at most itself
}

void reactor::report_traffic() {
  static auto frames = ops::counter{"jessica_net_ws_frames_out_total",
                                    "Data frames given to WebSockets."};
  static auto bytes =
      ops::counter{"jessica_net_ws_bytes_out_total", "Bytes given to WebSockets."};
  const auto since = std::exchange(traffic_, {});
  if (since.bytes == 0)
    return;
  frames.add(static_cast<double>(since.frames));
  bytes.add(static_cast<double>(since.bytes));
}

std::vector<connection*> reactor::all() const {
  auto list = std::vector<connection*>{};
  list.reserve(open_.size());
  for (const auto& one : open_)
    list.push_back(one.who);
  return list;
}

} // namespace jessica::net
