#include "net/local_unit.hpp"

#include <caf/actor_system.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <cstddef>
#include <utility>

namespace jessica::net {
namespace {

constexpr auto messages_a_turn = std::size_t{64};
/// Then sockets are looked at again.
constexpr auto turns_in_a_row = 64;

thread_local const local_unit* running_now = nullptr;

} // namespace

local_unit::local_unit(caf::actor_system& actors, std::function<void()> wake)
    : execution_unit(&actors), wake_(std::move(wake)) {}

local_unit::~local_unit() {
  close();
}

void local_unit::exec_later(caf::resumable* actor) {
  if (!open_)
    return system().scheduler().enqueue(actor);
  waiting_.push_back(actor);
  if (!running_ && waiting_.size() == 1)
    wake_();
}

void local_unit::run_some() {
  if (running_)
    return;
  running_ = true;
  running_now = this;
  for (auto turns = 0; !waiting_.empty() && turns < turns_in_a_row; ++turns) {
    auto* const next = waiting_.front();
    waiting_.pop_front();
    run(next);
  }
  running_now = nullptr;
  running_ = false;
  if (!waiting_.empty())
    wake_();
}

void local_unit::run(caf::resumable* actor) {
  switch (actor->resume(this, messages_a_turn)) {
  case caf::resumable::resume_later:
    return exec_later(actor);
  case caf::resumable::awaiting_message:
  case caf::resumable::done:
    return caf::intrusive_ptr_release(actor);
  case caf::resumable::shutdown_execution_unit:
    return; // meant for the system's own threads
  }
}

void local_unit::close() noexcept {
  open_ = false;
  for (auto* const one : std::exchange(waiting_, {}))
    system().scheduler().enqueue(one);
}

const local_unit* local_unit::running() noexcept {
  return running_now;
}

} // namespace jessica::net
