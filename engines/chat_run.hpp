// One generation: asks providers in their order, falls back, goes on where another one
// broke off.
#pragma once

#include "domain/chat.hpp"
#include "engines/chat_progress.hpp"
#include "engines/interruption.hpp"
#include "engines/provider.hpp"
#include "engines/task_loop.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jessica::engines {

using provider_list = std::vector<std::unique_ptr<provider>>;

/// The model that a reply names: its own wish, or its conversation's.
[[nodiscard]] std::optional<std::string> named_model(const prompt& asked);
/// Who answers with it, in order; everybody, when none is named.
[[nodiscard]] std::vector<provider*> route(const provider_list& all,
                                           const prompt& asked);

/// On the engine's loop, but for its making and `progress`.
class chat_run final : public loop_task {
public:
  chat_run(boost::asio::io_context& loop, const provider_list& all, prompt asked,
           std::unique_ptr<chat_progress> progress);

  /// Tells everything, its end included.
  [[nodiscard]] boost::asio::awaitable<void> run() override;
  /// Closes what is open, and no other provider is asked.
  void stop() noexcept override;
  void broke() override;
  [[nodiscard]] chat_progress& progress() noexcept { return *progress_; }

private:
  [[nodiscard]] boost::asio::awaitable<void> run_round();
  [[nodiscard]] boost::asio::awaitable<bool> wait_for_pause();
  /// True: the reply is over, one way or the other.
  [[nodiscard]] boost::asio::awaitable<bool> try_provider(provider& who);
  [[nodiscard]] bool may_go_on(const provider& who) const noexcept;
  [[nodiscard]] bool over() const noexcept;
  void give_up();

  boost::asio::io_context& loop_;
  prompt asked_;
  std::unique_ptr<chat_progress> progress_;
  std::vector<provider*> routes_;
  std::vector<provider_fault> faults_; ///< of the providers that were tried
  interruption* by_ = nullptr;         ///< while run() runs
  bool stopped_ = false;
};

} // namespace jessica::engines
