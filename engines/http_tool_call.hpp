// One call of a tool over HTTP.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "engines/exchange.hpp"
#include "engines/peer.hpp"
#include "engines/task_loop.hpp"
#include "engines/tool_runner.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

namespace jessica::engines {

/// A tool and the server it is.
struct http_tool {
  config::tool_settings settings;
  std::unique_ptr<peer> server;
};

/// What is posted: {name, arguments, call_id, user_id, conversation_id, reply_id}.
/// Fails: invalid_input, with words for the engine (the arguments are no JSON object).
[[nodiscard]] result<std::string> tool_body(const tool_question& what);

/// The same for a call that a job makes again after a crash: of the reply, of what is
/// called with what, and of how often that was done before.
[[nodiscard]] std::string idempotency_key(const tool_question& what);

/// On the loop, but for its making and close().
class http_tool_call final : public loop_task {
public:
  http_tool_call(boost::asio::io_context& loop, http_tool& with, tool_question what,
                 std::string body, tool_sink sink);

  [[nodiscard]] boost::asio::awaitable<void> run() override;
  void stop() noexcept override;
  void broke() override;
  /// Any thread: nothing is told after this returns.
  void close();

private:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] boost::asio::awaitable<result<std::string>> ask();
  [[nodiscard]] boost::asio::awaitable<result<std::string>> read(exchange& from);
  void tell(result<std::string> came);

  boost::asio::io_context& loop_;
  http_tool& with_;
  tool_question what_;
  std::string body_;
  clock::time_point began_;
  interruption* by_ = nullptr; ///< while run() runs
  bool stopped_ = false;
  std::mutex lock_; ///< held while the sink is called
  tool_sink sink_;  ///< null: told, or nobody listens
};

} // namespace jessica::engines
