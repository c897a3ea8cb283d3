// Branches of a conversation: edits, other replies, replies that go on, and which
// branch is the one to go on with.
#pragma once

#include "domain/branch.hpp"
#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"

namespace jessica::storage {

/// Does as the user what is wished; a reply that it begins is queued. The receipt has
/// no reply and no job where none is made (select_wish). Fails: not_found
/// (message_not_found, reply_not_found: none of this user's), conflict (reply_running:
/// a reply that still runs cannot be continued), overloaded (conversation_busy). Role:
/// requests.
[[nodiscard]] result<receipt> change_branch(connection& db, const identity& who,
                                            const branch_wish& what);

} // namespace jessica::storage
