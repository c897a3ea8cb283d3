// One attempt at a reply with one provider: a place, a connection, the stream.
#pragma once

#include "domain/chat.hpp"
#include "engines/chat_progress.hpp"
#include "engines/chat_stream.hpp"
#include "engines/exchange.hpp"
#include "engines/interruption.hpp"
#include "engines/provider.hpp"
#include "engines/token_family.hpp"
#include "engines/tool_refusals.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace jessica::engines {

/// On the engine's loop; lives as long as run() does.
class chat_attempt {
public:
  using outcome = std::optional<provider_fault>;

  /// `model` empty: the first that the provider lists.
  chat_attempt(boost::asio::io_context& loop, provider& with, interruption& by,
               const prompt& asked, std::string model, chat_progress& progress);

  /// Tells text as it comes and, when all went well, the end; goes on with what was
  /// told before, if anything. Not empty: the attempt failed, and nothing was told of
  /// that. When `by` was stopped, the outcome says nothing.
  [[nodiscard]] boost::asio::awaitable<outcome> run();
  /// Something came: text or reasoning.
  [[nodiscard]] bool heard() const noexcept { return heard_; }

private:
  using clock = std::chrono::steady_clock;

  [[nodiscard]] boost::asio::awaitable<outcome> wait_for_place();
  [[nodiscard]] boost::asio::awaitable<outcome> find_model();
  [[nodiscard]] boost::asio::awaitable<outcome> stream();
  [[nodiscard]] boost::asio::awaitable<outcome> ask();
  [[nodiscard]] boost::asio::awaitable<outcome> read_stream(exchange& with);
  [[nodiscard]] boost::asio::awaitable<outcome> read_refusal(exchange& with);
  [[nodiscard]] boost::asio::awaitable<void> read_rest(exchange& with);
  [[nodiscard]] outcome tell(chat_stream& from);
  void tell_end(const chat_stream& from);
  [[nodiscard]] provider_fault lateness() const;
  [[nodiscard]] bool tells_tools() const;

  boost::asio::io_context& loop_;
  provider& with_;
  interruption& by_;
  const prompt& asked_;
  std::string model_;
  chat_progress& progress_;
  slots::slot place_;
  clock::time_point asked_at_;
  clock::time_point total_by_;
  std::optional<clock::time_point> rest_by_;   ///< set when the text is whole
  token_family family_ = token_family::narrow; ///< of the model
  std::size_t first_turn_ = 0;                 ///< that the model is shown
  bool continued_ = false;                     ///< the reply began with another attempt
  bool heard_ = false;
  /// Asked without them it may answer.
  tool_refusal refused_tools_ = tool_refusal::none;
};

} // namespace jessica::engines
