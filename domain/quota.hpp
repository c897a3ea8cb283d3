// What is asked of a user's quota, and counted against it.
#pragma once

#include "domain/chat.hpp"
#include "domain/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace jessica {

/// One request to a model that is no job: what it may need at most.
struct quota_wish {
  user_id user;
  std::int64_t prompt_tokens = 0;           ///< about
  std::optional<std::int64_t> reply_tokens; ///< nullopt: quota.reserve_tokens
};

/// A share of a user's quota, kept until it is spent or its node is gone.
struct quota_hold {
  std::int64_t id = 0; ///< 0: no limit applies, nothing is held
};

/// What was used of a model; ends the hold, if there is one.
struct spending {
  user_id user;
  std::string model;
  usage used;
  std::int32_t replies = 1; ///< 0: it failed, or is no reply
  quota_hold hold = {};
  /// The reply's job, which may be somebody else's now: while it is there, who ends it
  /// counts the reply. 0: none.
  job_id job = {};
  /// Of `used`, what the job's last checkpoint says: counted by who took the job over.
  usage saved = {};
};

} // namespace jessica
