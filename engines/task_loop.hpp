// A thread with an event loop, and what runs on it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <unordered_set>

namespace jessica::engines {

/// Lives as long as it runs, at least. All of it is called on the loop.
class loop_task {
public:
  virtual ~loop_task() = default;
  [[nodiscard]] virtual boost::asio::awaitable<void> run() = 0;
  /// run() shall end soon. May come before it began, and often.
  virtual void stop() noexcept = 0;
  /// run() threw: a bug. Whoever waits for it must hear of it.
  virtual void broke() = 0;
};

class task_loop {
public:
  task_loop();
  ~task_loop(); ///< stop(), drop()
  task_loop(const task_loop&) = delete;
  task_loop& operator=(const task_loop&) = delete;

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
  void start();

  /// Any thread.
  void add(std::shared_ptr<loop_task> what);
  /// Any thread: stops it.
  void remove(std::shared_ptr<loop_task> what);

  /// Stops all tasks, calls `last` on the loop, ends the thread; tasks that have not
  /// ended after a second never do. Any thread but the loop's.
  void stop(std::function<void()> last = {});
  /// After stop(): drops frames that never ended, while what they refer to still
  /// stands.
  void drop();

private:
  struct loop : boost::asio::io_context {
    loop() : io_context(1) {}
    using boost::asio::execution_context::shutdown;
  };

  void run();

  loop context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unordered_set<std::shared_ptr<loop_task>> tasks_;
  bool stopping_ = false;
  std::binary_semaphore done_{0};
  std::thread thread_;
};

} // namespace jessica::engines
