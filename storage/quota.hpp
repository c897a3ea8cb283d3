// Quotas and counts of usage. Role: engine. What a limit is, and what holding means:
// docs/usage.md.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "domain/quota.hpp"
#include "storage/connection.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace jessica::storage {

/// The reason of an error that says that a limit is reached. Its `sql` is what the
/// database raised: the message holds the limit, wire/quota.hpp reads it.
inline constexpr auto quota_exceeded = std::string_view{"quota_exceeded"};

/// The same failure with that reason, when it is such a refusal.
[[nodiscard]] std::optional<error> as_quota_fault(const error& what);

/// A turn's refusal as jessica.enqueue_batch tells it, JSON.
[[nodiscard]] error quota_fault(std::string_view refused);

/// Holds a share of the user's quota for a request that is no job; at most an hour.
/// Fails: overloaded with quota_exceeded.
[[nodiscard]] result<quota_hold> hold_quota(connection& db, const quota_wish& what);

/// Ends the hold, if there is one, and counts what was used, in one commit. A user who
/// is gone is not counted. Once a hold: calling again counts again.
[[nodiscard]] result<void> spend(connection& db, const spending& what);

/// The same for many, in one commit, without jobs. True: there are limits for somebody.
[[nodiscard]] result<bool> spend_all(connection& db, std::span<const spending> all);

/// Makes the configured limits the default for everybody, and the prices what holds are
/// reckoned with. Without limits a default that the server wrote earlier goes.
[[nodiscard]] result<void> configure_quota(connection& db,
                                           const config::quota_settings& in);

} // namespace jessica::storage
