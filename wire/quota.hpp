// A quota that is exceeded, as clients read it.
#pragma once

#include "domain/error.hpp"

#include <optional>
#include <string>

namespace jessica::wire {

struct quota_refusal {
  /// JSON: {"code":"quota_exceeded","message","limit","limit_value","used","held",
  /// "resets_at","retry_after"}.
  std::string body;
  std::string limit;       ///< its name
  std::string retry_after; ///< seconds
};

/// What the database said of the limit; nullopt: the error is another one.
[[nodiscard]] std::optional<quota_refusal> read_refusal(const error& what);

/// The response of a refused push: the body, with a `reason` like all refusals.
[[nodiscard]] std::string channel_refusal(const quota_refusal& what);

} // namespace jessica::wire
