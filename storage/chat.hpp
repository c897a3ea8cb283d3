// Sends and replies: the group-committed writes of the chat, and the prompt's reads.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"

#include <span>
#include <vector>

namespace jessica::storage {

/// Stores message, pending reply and job of every turn in one commit; the jobs are born
/// leased to `lease` (0: queued). One answer a turn, in order: a receipt, or forbidden
/// for a conversation that is not the author's; a refused turn stores nothing and stops
/// no other. A client_id seen before gives the first receipt with `repeated`. Turns
/// must be valid already (UTF-8, size). Role: engine. The outer error: nothing was
/// stored, or (unavailable) it is unknown whether it was.
[[nodiscard]] result<std::vector<result<receipt>>>
enqueue(connection& db, lease_id lease, std::span<const turn> turns);

/// Stores final texts, usage and status of replies whose job `lease` still holds;
/// returns the jobs that were. A job missing from the answer is no longer ours; one
/// whose text PostgreSQL refuses becomes dead and is missing too.
[[nodiscard]] result<std::vector<job_id>> finish(connection& db, lease_id lease,
                                                 std::span<const outcome> outcomes);

/// Stores texts so far; returns the jobs still ours and not cancelled.
[[nodiscard]] result<std::vector<job_id>> save(connection& db, lease_id lease,
                                               std::span<const checkpoint> checkpoints);

/// What the engine needs to answer `message`: the conversation's choices and its last
/// `turns` finished messages up to it, read as the user (row security). Role: requests.
[[nodiscard]] result<prompt> load_prompt(connection& db, user_id user,
                                         conversation_id conversation,
                                         message_id message, std::size_t turns);

} // namespace jessica::storage
