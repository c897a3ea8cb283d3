#include "engines/task_loop.hpp"

#include "ops/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;

namespace {

/// Holds the task until it has run.
[[nodiscard]] asio::awaitable<void> run_kept(std::shared_ptr<loop_task> what) {
  co_await what->run();
}

void report(const std::exception_ptr& broken, loop_task& of) {
  if (!broken)
    return;
  try {
    std::rethrow_exception(broken);
  } catch (const std::exception& what) {
    ops::error("engine.exception", {{"what", what.what()}});
  }
  of.broke();
}

} // namespace

task_loop::task_loop() : work_(context_.get_executor()) {}

task_loop::~task_loop() {
  stop();
  drop();
}

void task_loop::start() {
  thread_ = std::thread{[this] { run(); }};
}

void task_loop::add(std::shared_ptr<loop_task> what) {
  asio::post(context_, [this, what = std::move(what)]() mutable {
    if (stopping_)
      return;
    tasks_.insert(what);
    asio::co_spawn(context_, run_kept(what),
                   [this, what](const std::exception_ptr& broken) {
                     tasks_.erase(what);
                     report(broken, *what);
                   });
  });
}

void task_loop::remove(std::shared_ptr<loop_task> what) {
  asio::post(context_, [what = std::move(what)] { what->stop(); });
}

void task_loop::stop(std::function<void()> last) {
  if (!thread_.joinable())
    return;
  asio::post(context_, [this, last = std::move(last)] {
    stopping_ = true;
    for (const auto& one : tasks_)
      one->stop();
    if (last)
      last();
    work_.reset();
  });
  constexpr auto patience = std::chrono::seconds{1};
  if (!done_.try_acquire_for(patience))
    context_.stop();
  thread_.join();
}

void task_loop::drop() {
  context_.shutdown();
}

void task_loop::run() {
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& what) { // a bug in one handler; the others go on
      ops::error("engine.exception", {{"what", what.what()}});
    }
  }
  done_.release();
}

} // namespace jessica::engines
