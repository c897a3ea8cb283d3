#include "actors/supervision.hpp"

#include "actors/errors.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/message_view.hpp>
#include <caf/response_promise.hpp>
#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/to_string.hpp>

#include <algorithm>
#include <exception>

namespace jessica::actors {
namespace {

constexpr auto first_pause = std::chrono::milliseconds{100};
constexpr auto longest_pause = std::chrono::milliseconds{5000};
constexpr auto memory = std::chrono::seconds{60};

[[nodiscard]] std::string cause_of(std::exception_ptr what) {
  try {
    std::rethrow_exception(std::move(what));
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "not a std::exception";
  }
}

[[nodiscard]] ops::counter& failures() {
  static auto counted = ops::counter{"jessica_actors_failures_total",
                                     "Actors that ended by an exception"};
  return counted;
}

[[nodiscard]] ops::counter& restarts() {
  static auto counted =
      ops::counter{"jessica_actors_restarts_total", "Actors started again"};
  return counted;
}

void log_death(const std::string& name, const caf::error& reason,
               std::chrono::milliseconds pause) {
  restarts().add();
  ops::warn(
      "actor.restarting",
      {{"actor", name}, {"cause", from_caf(reason).what}, {"pause_ms", pause.count()}});
}

void assign(caf::stateful_actor<pool_state>* self, std::size_t slot,
            pool_state::waiting job) {
  auto& worker = self->state.workers[slot];
  worker.free = false;
  job.asker.delegate(worker.handle, std::move(job.what));
  // Mailboxes are first in, first out: the answer comes once the job is done.
  self->request(worker.handle, caf::infinite, are_you_free{})
      .then(
          [self, slot](done) {
            auto& state = self->state;
            state.workers[slot].free = true;
            if (state.queue.empty())
              return;
            auto next = std::move(state.queue.front());
            state.queue.pop_front();
            assign(self, slot, std::move(next));
          },
          [](const caf::error&) {}); // the worker died: its down message follows
}

void start_worker(caf::stateful_actor<pool_state>* self, std::size_t slot) {
  auto& state = self->state;
  state.workers[slot] = {state.options.make(), true};
  self->monitor(state.workers[slot].handle);
  if (state.queue.empty())
    return;
  auto next = std::move(state.queue.front());
  state.queue.pop_front();
  assign(self, slot, std::move(next));
}

caf::result<caf::message> take(caf::stateful_actor<pool_state>* self,
                               caf::message_view& view) {
  auto& state = self->state;
  auto job = pool_state::waiting{self->make_response_promise(),
                                 view.move_content_to_message()};
  const auto found = std::ranges::find_if(state.workers, &pool_state::worker::free);
  if (found != state.workers.end()) {
    assign(self, static_cast<std::size_t>(found - state.workers.begin()),
           std::move(job));
  } else if (state.queue.size() < state.options.queue_limit) {
    state.queue.push_back(std::move(job));
  } else {
    job.asker.deliver(to_caf(
        {errc::overloaded, state.options.name + ": queue is full", {}, nullptr}));
  }
  return caf::delegated<caf::message>{};
}

} // namespace

void guard(caf::scheduled_actor* self, std::string name) {
  self->set_exception_handler(
      [name](caf::scheduled_actor*, std::exception_ptr& what) -> caf::error {
        failures().add();
        auto cause = cause_of(what);
        ops::error("actor.failed", {{"actor", name}, {"cause", cause}});
        return to_caf({errc::internal, name + ": " + cause, {}, nullptr});
      });
  self->set_default_handler(
      [name](caf::scheduled_actor*,
             caf::message_view& view) -> caf::result<caf::message> {
        ops::error("actor.message_unexpected",
                   {{"actor", name}, {"message", caf::to_string(view.content())}});
        return caf::sec::unexpected_message;
      });
}

std::chrono::milliseconds
restart_pause::after_death(std::chrono::steady_clock::time_point now) {
  while (!deaths_.empty() && now - deaths_.front() > memory)
    deaths_.pop_front();
  deaths_.push_back(now);
  constexpr auto doublings_until_longest = std::size_t{6};
  const auto doublings = std::min(deaths_.size() - 1, doublings_until_longest);
  return std::min(longest_pause, first_pause * (1 << doublings));
}

caf::behavior pool(caf::stateful_actor<pool_state>* self, pool_options options) {
  guard(self, options.name);
  self->state.options = std::move(options);
  self->state.workers.resize(self->state.options.children);
  self->set_default_handler([self](caf::scheduled_actor*, caf::message_view& view) {
    return take(self, view);
  });
  self->set_down_handler([self](caf::down_msg& down) {
    auto& state = self->state;
    const auto found = std::ranges::find_if(state.workers, [&](const auto& worker) {
      return worker.handle && worker.handle.address() == down.source;
    });
    if (found == state.workers.end())
      return;
    const auto slot = static_cast<std::size_t>(found - state.workers.begin());
    *found = {};
    const auto pause = state.pause.after_death(self->clock().now());
    log_death(state.options.name, down.reason, pause);
    self->delayed_send(self, pause, restart_child{slot});
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    for (auto& worker : self->state.workers)
      if (worker.handle)
        self->send_exit(worker.handle, exit.reason);
    self->quit(exit.reason);
  });
  for (auto slot = std::size_t{0}; slot < self->state.workers.size(); ++slot)
    start_worker(self, slot);
  return {[self](restart_child which) { start_worker(self, which.slot); }};
}

caf::behavior supervisor(caf::stateful_actor<supervisor_state>* self,
                         supervisor_options options) {
  guard(self, options.name);
  self->state.options = std::move(options);
  const auto start = [self] {
    self->state.child = self->state.options.make();
    self->monitor(self->state.child);
  };
  self->set_default_handler(
      [self](caf::scheduled_actor*,
             caf::message_view& view) -> caf::result<caf::message> {
        if (!self->state.child)
          return to_caf({errc::unavailable,
                         self->state.options.name + " is being restarted",
                         {},
                         nullptr});
        self->make_response_promise().delegate(self->state.child,
                                               view.move_content_to_message());
        return caf::delegated<caf::message>{};
      });
  self->set_down_handler([self](caf::down_msg& down) {
    if (!self->state.child || self->state.child.address() != down.source)
      return;
    self->state.child = nullptr;
    const auto pause = self->state.pause.after_death(self->clock().now());
    log_death(self->state.options.name, down.reason, pause);
    self->delayed_send(self, pause, restart_child{});
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    if (self->state.child)
      self->send_exit(self->state.child, exit.reason);
    self->quit(exit.reason);
  });
  start();
  return {[start](restart_child) { start(); }};
}

} // namespace jessica::actors
