// Domain errors across mailboxes: result <-> CAF error, both ways, once.
#pragma once

#include "domain/error.hpp"

#include <caf/error.hpp>

namespace jessica::actors {

/// Wraps a domain error for a caf::result; loses nothing inside the process.
[[nodiscard]] caf::error to_caf(error what);

/// The domain error of a failed request; what CAF itself reports (receiver down,
/// timeout) becomes unavailable or timeout.
[[nodiscard]] error from_caf(const caf::error& what);

} // namespace jessica::actors
