// How often /auth/v1 may be called: by one address for each kind of call, and with
// wrong passwords for one account. This machine's own addresses are not counted: behind
// a proxy that net.trusted_proxies does not name they stand for everybody.
#pragma once

#include "config/settings.hpp"
#include "net/http_message.hpp"
#include "ops/rate_limiter.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::net {

/// Kinds of calls; each has buckets of its own.
enum class paced : std::uint8_t {
  token,   ///< auth.token_rate
  sign_up, ///< auth.otp_rate, as the next four
  change,  ///< PUT /user
  otp,
  recover,
  resend,
  verify,    ///< auth.verify_rate
  anonymous, ///< auth.anonymous_rate, in an hour
};

/// Any thread.
class auth_limits {
public:
  explicit auth_limits(const config::auth_settings& rates);

  /// Counts a call. nullopt: it may go on; else the 429 to answer with.
  [[nodiscard]] std::optional<http_response> over(paced kind,
                                                  const http_request& asked);

  /// Counts an attempt to sign in to an account, before the password is looked at.
  [[nodiscard]] std::optional<http_response> over_attempts(const std::string& email,
                                                           const http_request& asked);
  /// The password was right (or not looked at): the attempt does not count.
  void forget_attempt(const std::string& email);

private:
  std::array<std::unique_ptr<ops::rate_limiter>, 8> kinds_; ///< null: any number
  std::unique_ptr<ops::rate_limiter> attempts_;
};

/// 429 with `reason` as its code, and in Retry-After when to come back.
[[nodiscard]] http_response too_often(std::string reason, std::chrono::nanoseconds wait,
                                      const http_request& asked);

/// Who counts as one: an IPv4 address, or the first 64 bits of an IPv6 one. Empty: not
/// counted (loopback, or no address at all).
[[nodiscard]] std::string counted_address(const std::string& ip);

} // namespace jessica::net
