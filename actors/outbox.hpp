// The only face of a socket that an actor sees.
#pragma once

#include "wire/ws_frame.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace jessica::actors {

/// Frames on their way to one client, in order. Any thread; never blocks; bounded in
/// bytes: a client that does not read is closed with 1013 by the outbox itself.
class outbox {
public:
  virtual ~outbox() = default;
  /// False once the socket is closed or closing: the frame is dropped.
  virtual bool push(wire::frame what) noexcept = 0;
  /// Bytes that were pushed and have not left for the socket yet.
  [[nodiscard]] virtual std::size_t backlog() const noexcept = 0;
  /// Sends what is queued, then a close frame with this code. Idempotent.
  virtual void close(std::uint16_t code) noexcept = 0;
};

using outbox_ptr = std::shared_ptr<outbox>;

/// Close codes we use (RFC 6455, section 7.4.1, and its registry).
namespace close_code {
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t service_restart = 1012;
inline constexpr std::uint16_t try_again_later = 1013;
} // namespace close_code

} // namespace jessica::actors
