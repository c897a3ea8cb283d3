// Everything that can go wrong with a provider, and what follows from it. The table in
// docs/engines.md is this one.
#pragma once

#include "engines/engine.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::engines {

enum class fault_kind : std::uint8_t {
  name_unknown,      ///< the host has no address
  unreachable,       ///< refused, reset, no route
  connect_timeout,   ///< not connected in time
  proxy_failed,      ///< the proxy refused
  tls_failed,        ///< the certificate is not the host's, or nobody vouches for it
  unauthorized,      ///< 401, 403
  not_found,         ///< 404: the model, or the URL
  rate_limited,      ///< 429
  bad_request,       ///< 400, 413, 422
  server_error,      ///< 5xx, 408
  redirected,        ///< 3xx: following would take the key elsewhere
  unexpected_answer, ///< another status, or no event stream and no JSON
  first_token_late,  ///< nothing came in time
  stalled,           ///< no token for too long
  total_timeout,     ///< the whole answer took too long
  cut,               ///< the connection or the stream ended before the answer did
  malformed,         ///< a chunk that is not what it must be
  too_long,          ///< more than a reply may hold, or an endless line
  reported,          ///< an error object in the stream
  queue_full,        ///< our own bound on replies to this provider
  left_alone,        ///< the circuit breaker is open
  no_model,          ///< nobody offers the model
};
inline constexpr auto fault_kinds = static_cast<std::size_t>(fault_kind::no_model) + 1;

struct fault_rule {
  std::string_view name;   ///< in logs and metrics
  std::string_view shown;  ///< to the user, when no attempt is left
  bool retryable = false;  ///< a later attempt of the job may succeed
  bool falls_back = false; ///< another provider is asked
  bool counts = false;     ///< for the circuit breaker
};

[[nodiscard]] const fault_rule& rule_of(fault_kind kind) noexcept;

/// Whose fault it is, as those see it who asked.
[[nodiscard]] failed_by cause_of(fault_kind kind) noexcept;

/// One failed attempt at one provider.
struct provider_fault {
  fault_kind kind = fault_kind::cut;
  std::string detail{}; ///< for the log: no secrets, at most 300 bytes
  std::string shown{};  ///< to the user; empty: the rule's
  std::optional<std::chrono::milliseconds> retry_after{};
};

/// Which fault an HTTP status is; empty for 200.
[[nodiscard]] std::optional<fault_kind> fault_of_status(unsigned status) noexcept;

/// A provider's own words, fit for a log or a user: at most 300 bytes of one line, and
/// without `secret`.
[[nodiscard]] std::string quoted_words(std::string_view text, std::string_view secret);

} // namespace jessica::engines
