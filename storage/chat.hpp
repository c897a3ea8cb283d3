// Sends and replies: the group-committed writes of the chat, and the prompt's reads.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace jessica::storage {

/// Stores message, pending reply and job of every turn in one commit; the jobs are born
/// leased to `lease` (0: queued). One answer a turn, in order: a receipt, or forbidden
/// for a conversation that is not the author's; a refused turn stores nothing and stops
/// no other; somebody's lock on a conversation makes its turns overloaded (reason
/// conversation_busy) after 200 ms, and no others. A client_id seen before gives the
/// first receipt with `repeated`. Turns must be valid already (UTF-8, size). Role:
/// engine. The outer error: nothing was stored, or (unavailable) it is unknown whether
/// it was.
[[nodiscard]] result<std::vector<result<receipt>>>
enqueue(connection& db, lease_id lease, std::span<const turn> turns);

/// Stores final texts, usage and status of replies whose job `lease` still holds. One
/// answer each, in order: true (also when this attempt was stored before: the first
/// answer was lost); false: no longer ours, or its text was refused by PostgreSQL and
/// the job is dead; an error: not stored now, try again. The outer error: none was.
[[nodiscard]] result<std::vector<result<bool>>>
finish(connection& db, lease_id lease, std::span<const outcome> outcomes);

/// The rows themselves were refused, not the database away: one of them alone may pass.
[[nodiscard]] bool is_fault_of_data(const error& failure) noexcept;

/// The same with every turn written as its author: the policies decide, not our rule of
/// who owns what. Slower; for projects with policies of their own. The jobs are queued.
/// Role: requests.
[[nodiscard]] result<std::vector<result<receipt>>>
enqueue_as_authors(connection& db, std::span<const turn> turns);

/// Stores texts so far; whose each job is, in order.
[[nodiscard]] result<std::vector<job_hold>>
save(connection& db, lease_id lease, std::span<const checkpoint> checkpoints);

/// Asks for the end of a reply, as the user. Fails: not_found (no reply of this user).
/// Idempotent. Role: requests.
[[nodiscard]] result<stop_receipt> stop_reply(connection& db, const identity& who,
                                              message_id reply);

/// The beginning of a reply that goes on.
struct kept_text {
  message_id reply;
  std::int64_t characters = 0; ///< 0: it begins
};

/// How much of a conversation is read.
struct prompt_limits {
  std::size_t turns = 1;
  /// The message that passes it is the last one read, from the newest.
  std::size_t bytes = std::size_t{4} << 20U;
};

/// What the engine needs to answer `message`: the conversation's choices and the last
/// finished messages of its branch up to it, read as the user (row security).
/// Role: requests.
[[nodiscard]] result<prompt> load_prompt(connection& db, user_id user,
                                         conversation_id conversation,
                                         message_id message, prompt_limits limits,
                                         const kept_text& kept = {});

} // namespace jessica::storage
