// One letter from the outbox to a server, and what follows when it does not get there.
#pragma once

#include "mail/sender.hpp"
#include "storage/connection.hpp"
#include "storage/mail_rules.hpp"

#include <chrono>
#include <cstdint>

namespace jessica::actors {

/// The pause before the delivery after the `attempt`th: it triples each time, up to an
/// hour.
[[nodiscard]] std::chrono::milliseconds pause_after(std::chrono::milliseconds first,
                                                    std::int64_t attempt);

/// Sends the letter that has waited longest; true: there may be more. What is not sent
/// comes again later, or is given up (with a log event and a counter) when its code is
/// too old, it was tried often enough, or the server will never take it. A letter whose
/// sender died between sending and noting it is sent twice.
[[nodiscard]] bool deliver_next(storage::connection& db,
                                const storage::mail_rules& rules, mail::sender& to);

} // namespace jessica::actors
