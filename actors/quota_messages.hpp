// TELLER and its messages: quotas and usage of requests that are no jobs. (What jobs
// hold and use is stored with them, see docs/usage.md.)
#pragma once

#include "actors/messages.hpp"
#include "domain/quota.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <vector>

namespace jessica::actors {

struct hold_quota {
  quota_wish what;
};
struct spend {
  spending what;
};

struct spend_all {
  std::vector<spending> what;
};
struct all_spent {
  bool limits = true; ///< there are some, for somebody
};

/// TELLER holds shares of users' quotas, and counts what was used. Detached, in a POOL
/// of 1.
using teller_actor = caf::typed_actor<
    // Before a model is asked. Fails: overloaded (reason quota_exceeded: whoever asked
    // is told with wire::read_refusal; or a full queue), unavailable.
    caf::replies_to<hold_quota>::with<quota_hold>,
    // Always when a hold is over, whatever came of it. Fails: unavailable (it is not
    // known whether it was counted; a hold ends by itself within an hour).
    caf::replies_to<spend>::with<done>,
    // The same of many, in one commit: all or none. Jobs are none of them.
    caf::replies_to<spend_all>::with<all_spent>,
    caf::replies_to<are_you_free>::with<done>>;

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::quota_hold)
JESSICA_LOCAL_MESSAGE(jessica::actors::hold_quota)
JESSICA_LOCAL_MESSAGE(jessica::actors::spend)
JESSICA_LOCAL_MESSAGE(jessica::actors::spend_all)
JESSICA_LOCAL_MESSAGE(jessica::actors::all_spent)
#undef JESSICA_LOCAL_MESSAGE
