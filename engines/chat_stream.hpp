// Makes an answer of a body's bytes: an event stream, or the whole answer as JSON from
// servers that do not stream. Pure.
#pragma once

#include "engines/call_pieces.hpp"
#include "engines/engine.hpp"
#include "engines/fault.hpp"
#include "engines/sse.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

class chat_stream {
public:
  /// `secret`: never shown, whatever the provider says.
  chat_stream(std::size_t max_event_bytes, std::string_view secret);

  /// What came of the body. After ended() or fault() nothing is taken any more.
  void feed(std::string_view body);
  /// The body is over: the answer has ended, or was cut.
  void end();

  /// Everything is here that a provider says, its last word included.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// The text is whole; only usage or the last word may follow.
  [[nodiscard]] bool is_text_whole() const noexcept {
    return !finish_reason_.empty() && wrong_with_calls().empty();
  }
  [[nodiscard]] const std::optional<provider_fault>& fault() const noexcept {
    return fault_;
  }

  /// What came since the last call.
  struct gain {
    std::string text;
    std::uint32_t tokens = 0; ///< chunks with text: what most servers send a token in
    std::string reasoning;
    bool calls = false; ///< pieces of calls of tools
  };
  [[nodiscard]] gain take() noexcept;

  /// Empty: none was given.
  [[nodiscard]] const std::string& finish_reason() const noexcept {
    return finish_reason_;
  }
  [[nodiscard]] const std::optional<usage>& used() const noexcept { return used_; }
  /// The tools that the answer wants called, when it is whole. None of an answer that
  /// ran into a limit, whose last call may not be.
  [[nodiscard]] std::vector<tool_call> calls() const;

private:
  enum class form : std::uint8_t { unknown, events, whole };

  void take_body(std::string_view body);
  void take_data(std::string_view data);
  void take_whole();
  void take_calls(std::vector<call_piece>& pieces);
  /// The answer is over: its calls must make sense.
  void check_end();
  [[nodiscard]] std::string_view wrong_with_calls() const noexcept;
  void complain(const std::string& message, const std::string& type);
  void fail_as(fault_kind kind, std::string detail);

  std::size_t limit_;
  std::string secret_;
  form form_ = form::unknown;
  sse_splitter events_;
  std::string whole_; ///< JSON so far
  gain gained_;
  std::string finish_reason_;
  call_pieces calls_;
  std::optional<usage> used_;
  std::optional<provider_fault> fault_;
  bool began_ = false; ///< a chunk of an answer came
  bool ended_ = false;
};

} // namespace jessica::engines
