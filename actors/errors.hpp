// Domain errors across mailboxes: result <-> CAF error, both ways, once.
#pragma once

#include "domain/error.hpp"

#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/result.hpp>

#include <utility>

namespace jessica::actors {

/// Wraps a domain error for a caf::result; loses nothing inside the process.
[[nodiscard]] caf::error to_caf(error what);

/// The domain error of a failed request; what CAF itself reports (receiver down,
/// timeout) becomes unavailable or timeout.
[[nodiscard]] error from_caf(const caf::error& what);

/// Why a login that is over is turned away; `what` is for the client.
[[nodiscard]] error session_over();

/// A handler's answer: the value or the wrapped error.
template <class T> [[nodiscard]] caf::result<T> answer(result<T> what) {
  if (!what)
    return to_caf(std::move(what.error()));
  return std::move(*what);
}

} // namespace jessica::actors
