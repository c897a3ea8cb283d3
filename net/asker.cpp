#include "net/asker.hpp"

#include "net/local_unit.hpp"
#include "ops/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/actor_companion.hpp>
#include <caf/actor_system.hpp>
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>

#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <unordered_map>

namespace jessica::net {

namespace asio = boost::asio;

namespace {

using clock = std::chrono::steady_clock;

/// How often limits are looked at: one timer for all questions instead of one each.
constexpr auto tick = std::chrono::milliseconds{100};

result<caf::message> read(caf::mailbox_element& answer) {
  auto& content = answer.content();
  if (content.match_elements<caf::error>())
    return std::unexpected{actors::from_caf(content.get_as<caf::error>(0))};
  return answer.move_content_to_message();
}

} // namespace

struct asker::state {
  /// Where answers come in, on whatever thread. It outlives the asker, because actors
  /// keep the companion as long as it stands as a sender in their mailboxes.
  struct door {
    std::mutex lock;
    state* inside = nullptr; ///< null: closed; written by the reactor under the lock
    const local_unit* unit = nullptr; ///< only compared, never followed

    void take(caf::mailbox_element_ptr answer);
  };

  struct question {
    clock::time_point deadline;
    completion then;
  };

  state(caf::actor_system& actors, asio::any_io_executor on, std::function<void()> then)
      : reactor(std::move(on)),
        after_actors(std::move(then)),
        timer(reactor),
        entry(std::make_shared<door>()),
        companion(caf::actor_cast<caf::strong_actor_ptr>(
            actors.spawn<caf::actor_companion, caf::hidden>())),
        unit(actors, [this] { wake(); }) {
    entry->inside = this;
    entry->unit = &unit;
    self()->on_enqueue(
        [to = entry](caf::mailbox_element_ptr answer) { to->take(std::move(answer)); });
  }

  caf::actor_companion* self() const {
    return static_cast<caf::actor_companion*>(companion->get());
  }

  /// An actor woke: nobody may run it before what woke it is over.
  void wake() {
    if (std::exchange(woken, true) || gathering)
      return;
    asio::post(reactor, [to = entry] {
      if (to->inside)
        to->inside->run();
    });
  }

  void run() {
    woken = false;
    unit.run_some();
    after_actors();
    while (!arrived.empty()) {
      const auto answer = std::move(arrived.front());
      arrived.pop_front();
      try {
        settle(*answer);
      } catch (const std::exception& what) { // a bug in one handler; the others go on
        ops::error("reactor.exception", {{"what", what.what()}});
      }
    }
  }

  void settle(caf::mailbox_element& answer) {
    if (!answer.mid.is_response())
      return;
    if (auto asked = open.extract(answer.mid.request_id().integer_value()))
      asked.mapped().then(read(answer));
  }

  void later(completion then, error why) {
    asio::post(reactor, [then = std::move(then), why = std::move(why)]() mutable {
      then(std::unexpected{std::move(why)});
    });
  }

  void watch() {
    ticking = true;
    timer.expires_after(tick);
    timer.async_wait([to = entry](const boost::system::error_code& ec) {
      if (!ec && to->inside)
        to->inside->expire();
    });
  }

  void expire() {
    const auto now = clock::now();
    for (auto it = open.begin(); it != open.end();) {
      if (it->second.deadline > now) {
        ++it;
        continue;
      }
      later(std::move(it->second.then),
            error{errc::timeout, "an actor did not answer in time", {}, nullptr});
      it = open.erase(it);
    }
    if (open.empty())
      ticking = false;
    else
      watch();
  }

  asio::any_io_executor reactor;
  std::function<void()> after_actors;
  asio::steady_timer timer;
  bool ticking = false;
  std::shared_ptr<door> entry;
  caf::strong_actor_ptr companion;
  local_unit unit;
  bool woken = false;                           ///< run() is due
  bool gathering = false;                       ///< and whoever set this calls it
  std::deque<caf::mailbox_element_ptr> arrived; ///< while the unit ran
  std::unordered_map<std::uint64_t, question> open;
};

void asker::state::door::take(caf::mailbox_element_ptr answer) {
  if (local_unit::running() == unit)
    return inside->arrived.push_back(std::move(answer));
  const auto hold = std::lock_guard{lock};
  if (inside)
    asio::post(inside->reactor,
               [to = inside->entry, answer = std::move(answer)]() mutable {
                 if (to->inside)
                   to->inside->settle(*answer);
               });
}

asker::asker(caf::actor_system& actors, asio::any_io_executor reactor,
             std::function<void()> after_actors)
    : state_(std::make_unique<state>(actors, std::move(reactor),
                                     std::move(after_actors))) {}

asker::~asker() {
  close();
}

void asker::close() noexcept {
  if (!state_->companion)
    return;
  {
    const auto hold = std::lock_guard{state_->entry->lock};
    state_->entry->inside = nullptr;
  }
  // What disconnect() would do: CAF 0.17.6 declares it and forgot to define it.
  state_->self()->on_enqueue(nullptr);
  state_->self()->cleanup(caf::exit_reason::normal, nullptr);
  state_->companion = nullptr;
  state_->timer.cancel();
  state_->unit.close();
  for (auto& [id, asked] : std::exchange(state_->open, {}))
    state_->later(std::move(asked.then),
                  error{errc::unavailable, "the server is stopping", {}, nullptr});
}

void asker::start(const caf::strong_actor_ptr& whom, caf::message what,
                  std::chrono::milliseconds limit, completion then) {
  auto& s = *state_;
  if (!whom || !s.companion)
    return s.later(std::move(then),
                   error{errc::unavailable, "no such actor any more", {}, nullptr});
  const auto id = s.self()->new_request_id(caf::message_priority::normal);
  s.open.emplace(id.request_id().integer_value(),
                 state::question{clock::now() + limit, std::move(then)});
  if (!s.ticking)
    s.watch();
  whom->enqueue(caf::make_mailbox_element(s.companion, id, {}, std::move(what)),
                &s.unit);
}

void asker::send(const caf::strong_actor_ptr& whom, caf::message what) {
  if (whom)
    whom->enqueue(
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(what)),
        &state_->unit);
}

void asker::send_now(const caf::strong_actor_ptr& whom, caf::message what) {
  gather(true);
  send(whom, std::move(what));
  gather(false);
  run();
}

void asker::gather(bool on) noexcept {
  state_->gathering = on;
}

void asker::run() {
  state_->run();
}

asio::awaitable<result<caf::message>> asker::exchange(caf::strong_actor_ptr whom,
                                                      caf::message what,
                                                      std::chrono::milliseconds limit) {
  auto token = asio::use_awaitable;
  co_return co_await asio::async_initiate<decltype(token), void(result<caf::message>)>(
      [&](auto then) { start(whom, std::move(what), limit, std::move(then)); }, token);
}

} // namespace jessica::net
