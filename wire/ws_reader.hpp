// The frames of a WebSocket client (RFC 6455, section 5), read as their bytes come:
// unmasked, joined, checked. Pure: no socket, no clock.
#pragma once

#include "domain/utf8_check.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Close codes of RFC 6455, section 7.4.1, that the protocol itself asks for.
namespace ws_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t not_utf8 = 1007;
inline constexpr std::uint16_t too_big = 1009;
} // namespace ws_code

/// One thing a client said.
struct ws_input {
  enum class kind : std::uint8_t { nothing, text, binary, ping, pong, close, broken };
  kind what = kind::nothing; ///< nothing: more bytes are needed
  std::uint16_t code = 0;    ///< close and broken: to close with
  std::string bytes;         ///< of a message, or to answer a ping with
};

/// Holds a small buffer, and a message as far as it came: who announces much gets no
/// more memory than it fills, twice that at most.
class ws_reader {
public:
  explicit ws_reader(std::size_t max_message_bytes) : limit_(max_message_bytes) {}

  /// Where the next bytes from the socket belong; not empty once next() gave nothing.
  [[nodiscard]] std::span<char> room();
  /// So many bytes were put there.
  void filled(std::size_t bytes) noexcept;
  /// What comes next. Text fails at its first byte that is not UTF-8, a frame at its
  /// header. After close or broken the rest has no meaning: do not ask again.
  [[nodiscard]] ws_input next();

private:
  /// Of the frame under way.
  struct frame_state {
    std::uint64_t left = 0; ///< bytes of its payload that were not taken yet
    std::array<char, 4> mask{};
    std::uint8_t mask_at = 0;
    std::uint8_t opcode = 0;
    bool final = false;
    bool open = false;
  };
  enum class step : std::uint8_t { more, go_on, done };

  [[nodiscard]] std::string_view waiting() const noexcept;
  [[nodiscard]] step read_header(ws_input& out);
  [[nodiscard]] std::uint16_t fault_of(unsigned first, unsigned second) const noexcept;
  [[nodiscard]] step take_control(ws_input& out);
  [[nodiscard]] step take_data(ws_input& out);
  [[nodiscard]] static step end_control(std::uint8_t opcode, std::string payload,
                                        ws_input& out);
  void unmask(std::span<char> bytes) noexcept;
  [[nodiscard]] bool reads_into_message() const noexcept;

  /// Most messages come in one read; every connection pays for it.
  static constexpr auto buffer_bytes = std::size_t{248};

  std::size_t limit_;
  std::array<char, buffer_bytes> buffer_; ///< what was read and not taken yet
  std::uint8_t begin_ = 0;
  std::uint8_t end_ = 0;
  std::uint8_t message_opcode_ = 0; ///< of the message under way; 0: none
  utf8_check text_;
  frame_state frame_;
  std::string message_;   ///< as far as it came, and room for more
  std::size_t taken_ = 0; ///< bytes of message_ that are unmasked and checked
  std::size_t raw_ = 0;   ///< bytes behind them that came straight from the socket
  std::string control_;   ///< payload of a control frame, as far as it came
};

} // namespace jessica::wire
