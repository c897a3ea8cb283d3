// What can go wrong, in one vocabulary: every room returns result<T>, and only
// wire/problem.cpp turns codes into what a client sees.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace jessica {

/// What the asker can do about a failure; the cause goes into `what`.
enum class errc : std::uint8_t {
  invalid_input = 1, ///< Bytes or fields are wrong. Do not retry.
  unauthenticated,   ///< No token, or one that does not verify.
  forbidden,         ///< Row security or a role refused.
  not_found,         ///< No such row, topic, table or function.
  conflict,          ///< The key exists already.
  too_large,         ///< Over a limit of settings.hpp. Do not retry.
  overloaded,        ///< A queue is full. Retry later.
  unavailable,       ///< A dependency is down. Retry later.
  timeout,           ///< Gave up waiting; the work may still happen.
  internal,          ///< A bug on our side.
};

/// A failure as PostgreSQL reported it; REST hands it to the client unchanged.
struct sql_fault {
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
};

struct error {
  errc code = errc::internal;
  /// For the log; shown to the client only when `code` says the input was at fault
  /// (invalid_input, too_large, conflict). No secrets.
  std::string what;
  /// A stable word an application may match on (`weak_password`); empty: the code's
  /// name.
  std::string reason;
  /// Set when PostgreSQL refused a client's statement.
  std::shared_ptr<const sql_fault> sql;
};

template <class T> using result = std::expected<T, error>;

[[nodiscard]] inline std::unexpected<error> fail(errc code, std::string what,
                                                 std::string reason = {}) {
  return std::unexpected{error{code, std::move(what), std::move(reason), nullptr}};
}

/// The code's name as logs, metrics and docs/errors.md spell it, e.g. "not_found".
[[nodiscard]] std::string_view name(errc code) noexcept;

} // namespace jessica
