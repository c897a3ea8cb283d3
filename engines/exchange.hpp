// One HTTP question to a server and its answer, on a kept connection or a new one.
#pragma once

#include "engines/fault.hpp"
#include "engines/http_answer.hpp"
#include "engines/interruption.hpp"
#include "engines/peer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

/// What is asked: POST with a body, GET without.
struct question {
  std::string_view path; ///< behind the server's base
  std::string body;
  std::string_view accept = "text/event-stream, application/json";
  std::string headers = {}; ///< further ones, each with its line's end
};

/// On the engine's loop. `by` ends all waits; the connection ends with the exchange
/// unless finish() kept it.
class exchange {
public:
  using clock = std::chrono::steady_clock;
  using outcome = std::optional<provider_fault>;

  exchange(boost::asio::io_context& loop, peer& with, interruption& by);
  ~exchange();
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  /// From here on nothing, connecting included, takes longer than until then.
  void end_by(clock::time_point last) noexcept { last_ = last; }
  /// Connects (within the server's limit), asks, and waits until the answer's header
  /// is there, at most as long as given; that limit then holds on. A kept connection
  /// that turns out to be dead is replaced once.
  [[nodiscard]] boost::asio::awaitable<outcome>
  ask(const question& what, std::chrono::milliseconds answer_within);

  /// Waits for more of the body. Empty also when the answer is whole.
  [[nodiscard]] boost::asio::awaitable<outcome> read_more();
  /// The rest of the body, at most `limit` bytes.
  [[nodiscard]] boost::asio::awaitable<outcome> read_all(std::size_t limit);
  /// What came of the body and was not looked at yet.
  [[nodiscard]] std::string& body() noexcept { return body_; }
  [[nodiscard]] const http_answer& answer() const noexcept { return *answer_; }

  /// Keeps the connection for others when the answer is whole and its peer agrees.
  void finish();

private:
  [[nodiscard]] boost::asio::awaitable<outcome> open();
  [[nodiscard]] boost::asio::awaitable<outcome> reach(clock::time_point until);
  [[nodiscard]] boost::asio::awaitable<outcome> talk(const std::string& request);
  [[nodiscard]] std::string text_of(const question& what) const;

  boost::asio::io_context& loop_;
  peer& with_;
  interruption& by_;
  std::unique_ptr<connection> link_;
  std::unique_ptr<http_answer> answer_;
  std::string body_;
  std::vector<char> buffer_;
  clock::time_point last_ = clock::time_point::max();
  bool heard_ = false; ///< any byte of the answer
};

} // namespace jessica::engines
