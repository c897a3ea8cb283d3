#include "net/streamed_body.hpp"

#include <utility>

namespace jessica::net {

namespace asio = boost::asio;

bool body_writer::write(std::string_view more) {
  {
    const auto hold = std::lock_guard{lock_};
    if (state_ != state::open)
      return false;
    if (more.size() > most_waiting_ - waiting_.size())
      state_ = state::broken;
    else
      waiting_ += more;
  }
  reader_->pull();
  const auto hold = std::lock_guard{lock_};
  return state_ == state::open;
}

void body_writer::end() {
  {
    const auto hold = std::lock_guard{lock_};
    if (state_ != state::open)
      return;
    state_ = state::whole;
  }
  reader_->pull();
}

void body_writer::abort() {
  {
    const auto hold = std::lock_guard{lock_};
    if (state_ != state::open)
      return;
    state_ = state::broken;
  }
  reader_->pull();
}

streamed_body::streamed_body(const asio::any_io_executor& reactor,
                             std::size_t most_waiting)
    : bell_(reactor, [this] { heard(); }),
      writer_(std::make_shared<body_writer>(bell_.rope(), most_waiting)) {}

streamed_body::~streamed_body() {
  leave();
}

bool streamed_body::is_broken() const {
  const auto hold = std::lock_guard{writer_->lock_};
  return writer_->state_ == body_writer::state::broken;
}

void streamed_body::heard() {
  if (broken_ && is_broken())
    std::exchange(broken_, nullptr)();
}

asio::awaitable<std::optional<streamed_body::part>> streamed_body::next() {
  for (;;) {
    {
      const auto hold = std::lock_guard{writer_->lock_};
      const auto state = writer_->state_;
      if (state == body_writer::state::broken)
        co_return std::nullopt;
      if (state == body_writer::state::whole || !writer_->waiting_.empty())
        co_return part{std::exchange(writer_->waiting_, {}),
                       state == body_writer::state::whole};
    }
    co_await bell_.wait();
  }
}

void streamed_body::leave() {
  {
    const auto hold = std::lock_guard{writer_->lock_};
    writer_->state_ = body_writer::state::broken;
    writer_->waiting_.clear();
  }
  broken_ = nullptr;
  stop = nullptr;
  const auto ended = std::move(source);
  bell_.ring();
}

} // namespace jessica::net
