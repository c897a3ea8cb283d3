// Makes an answer of a body's bytes: an event stream, or the whole answer as JSON from
// servers that do not stream. Pure.
#pragma once

#include "engines/engine.hpp"
#include "engines/fault.hpp"
#include "engines/sse.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
  [[nodiscard]] bool is_text_whole() const noexcept { return !finish_reason_.empty(); }
  [[nodiscard]] const std::optional<provider_fault>& fault() const noexcept {
    return fault_;
  }

  /// What came since the last call.
  struct gain {
    std::string text;
    std::uint32_t tokens = 0; ///< chunks with text: what most servers send a token in
    std::string reasoning;
  };
  [[nodiscard]] gain take() noexcept;

  /// Empty: none was given.
  [[nodiscard]] const std::string& finish_reason() const noexcept {
    return finish_reason_;
  }
  [[nodiscard]] const std::optional<usage>& used() const noexcept { return used_; }

private:
  enum class form : std::uint8_t { unknown, events, whole };

  void take_body(std::string_view body);
  void take_data(std::string_view data);
  void take_whole();
  void complain(const std::string& message, const std::string& type);
  void fail_as(fault_kind kind, std::string detail);

  std::size_t limit_;
  std::string secret_;
  form form_ = form::unknown;
  sse_splitter events_;
  std::string whole_; ///< JSON so far
  gain gained_;
  std::string finish_reason_;
  std::optional<usage> used_;
  std::optional<provider_fault> fault_;
  bool began_ = false; ///< a chunk of an answer came
  bool ended_ = false;
};

} // namespace jessica::engines
