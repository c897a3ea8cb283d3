#include "engines/connection_pool.hpp"

#include <utility>

namespace jessica::engines {
namespace {

/// How often those are looked for that idled too long or whose peers left.
constexpr auto look_every = std::chrono::seconds{1};

} // namespace

/// Shared with the timer's handler.
struct connection_pool::state {
  struct idle {
    std::unique_ptr<connection> what;
    clock::time_point until;
  };

  state(boost::asio::io_context& loop, std::size_t limit, clock::duration time)
      : timer(loop), most(limit), keep(time) {}

  static void look_again(const std::shared_ptr<state>& self) {
    self->looking = true;
    self->timer.expires_after(look_every);
    self->timer.async_wait([self](const boost::system::error_code& ec) {
      self->looking = false;
      if (ec)
        return;
      const auto now = clock::now();
      std::erase_if(self->all, [now](const idle& one) {
        return one.until <= now || !one.what->is_quiet();
      });
      if (!self->all.empty())
        look_again(self);
    });
  }

  boost::asio::steady_timer timer;
  std::size_t most;
  clock::duration keep;
  std::deque<idle> all; ///< oldest first
  bool looking = false;
};

connection_pool::connection_pool(boost::asio::io_context& loop, std::size_t most,
                                 clock::duration keep)
    : state_(std::make_shared<state>(loop, most, keep)) {}

connection_pool::~connection_pool() {
  close_all();
}

std::unique_ptr<connection> connection_pool::take() {
  auto& all = state_->all;
  while (!all.empty()) {
    auto latest = std::move(all.back().what);
    all.pop_back();
    if (latest->is_quiet())
      return latest;
  }
  return nullptr;
}

void connection_pool::give(std::unique_ptr<connection> what) {
  auto& s = *state_;
  s.all.push_back({std::move(what), clock::now() + s.keep});
  if (s.all.size() > s.most)
    s.all.pop_front();
  if (!s.looking && !s.all.empty())
    state::look_again(state_);
}

void connection_pool::close_all() {
  state_->all.clear();
  state_->timer.cancel();
}

std::size_t connection_pool::size() const noexcept {
  return state_->all.size();
}

} // namespace jessica::engines
