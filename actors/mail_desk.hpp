// What whoever issues codes needs beside a connection.
#pragma once

#include "actors/code_messages.hpp"
#include "storage/mail_rules.hpp"

#include <memory>

namespace jessica::actors {

struct mail_desk {
  storage::mail_rules rules;
  mailer_actor mailer; ///< told when a letter was stored
};

/// Null without a mail mode.
using mail_desk_ptr = std::shared_ptr<const mail_desk>;

} // namespace jessica::actors
