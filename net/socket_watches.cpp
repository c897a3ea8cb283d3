#include "net/socket_watches.hpp"

#include "net/asker.hpp"

#include <boost/asio/dispatch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace jessica::net {

namespace asio = boost::asio;
using asio::posix::descriptor_base;

namespace {

/// A descriptor of our own: whoever closes the other one need not wait for us.
struct duplicate {
  int number;

  explicit duplicate(int of) : number(::fcntl(of, F_DUPFD_CLOEXEC, 0)) {}
  duplicate(duplicate&& other) noexcept : number(std::exchange(other.number, -1)) {}
  duplicate& operator=(duplicate&&) = delete;
  ~duplicate() {
    if (number >= 0)
      ::close(number);
  }
};

class taken_seat final : public actors::socket_watch::seat {
public:
  taken_seat(std::shared_ptr<watched_sockets> by, watched_sockets::number which)
      : by_(std::move(by)), which_(which) {}
  taken_seat(const taken_seat&) = delete;
  taken_seat& operator=(const taken_seat&) = delete;
  ~taken_seat() override {
    if (by_)
      by_->remove(which_);
  }
  void arm(bool writing) override {
    if (by_)
      by_->arm(which_, writing);
  }

private:
  std::shared_ptr<watched_sockets> by_; ///< null: there was no reactor
  watched_sockets::number which_;
};

} // namespace

/// Runs `work` on the loop's thread: now when this is it. The lock keeps the loop alive
/// as long as something is given to it from elsewhere.
template <class Work> void watched_sockets::on_loop(Work work) {
  const auto hold = std::lock_guard{lock_};
  if (loop_ != nullptr)
    asio::dispatch(*loop_,
                   [self = shared_from_this(), work = std::move(work)]() mutable {
                     if (self->loop_ != nullptr)
                       work();
                   });
}

void watched_sockets::add(number which, int socket, caf::strong_actor_ptr whom,
                          caf::message what) {
  auto own = duplicate{socket};
  if (own.number < 0)
    return; // no more descriptors: the request ends by its time limit
  on_loop([this, which, whom = std::move(whom), what = std::move(what),
           own = std::move(own)]() mutable {
    auto made = asio::posix::stream_descriptor{*loop_};
    made.assign(std::exchange(own.number, -1));
    open_.emplace(which, watched{std::move(made), std::move(whom), std::move(what)});
  });
}

void watched_sockets::arm(number which, bool writing) {
  on_loop([this, which, writing] {
    wait(which, &watched::reading, descriptor_base::wait_read);
    if (writing)
      wait(which, &watched::writing, descriptor_base::wait_write);
  });
}

void watched_sockets::wait(number which, bool watched::* flag,
                           descriptor_base::wait_type how) {
  const auto found = open_.find(which);
  if (found == open_.end() || std::exchange(found->second.*flag, true))
    return;
  found->second.socket.async_wait(
      how, [self = shared_from_this(), which, flag](boost::system::error_code ec) {
        const auto at = self->open_.find(which);
        if (ec == asio::error::operation_aborted || at == self->open_.end())
          return;
        at->second.*flag = false;
        // Copies: who is told may give up the seat.
        const auto whom = at->second.whom;
        self->to_.send_now(whom, at->second.what);
      });
}

void watched_sockets::remove(number which) {
  on_loop([this, which] { auto gone = open_.extract(which); });
}

void watched_sockets::close() {
  const auto hold = std::lock_guard{lock_};
  loop_ = nullptr;
  open_.clear();
}

void socket_watches::attach(std::shared_ptr<watched_sockets> reactor) {
  const auto hold = std::lock_guard{lock_};
  reactors_.push_back(std::move(reactor));
}

std::unique_ptr<actors::socket_watch::seat>
socket_watches::add(int socket, caf::strong_actor_ptr whom, caf::message what) {
  const auto hold = std::lock_guard{lock_};
  std::erase_if(reactors_, [](const auto& one) { return one.expired(); });
  const auto number = ++added_;
  if (reactors_.empty())
    return std::make_unique<taken_seat>(nullptr, number);
  auto by = reactors_[number % reactors_.size()].lock();
  if (by)
    by->add(number, socket, std::move(whom), std::move(what));
  return std::make_unique<taken_seat>(std::move(by), number);
}

} // namespace jessica::net
