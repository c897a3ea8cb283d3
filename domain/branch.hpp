// What a user may want of a conversation that has, or gets, more than one branch.
#pragma once

#include "domain/ids.hpp"

#include <optional>
#include <string>
#include <variant>

namespace jessica {

/// Another version of one's own message, beside it, with a reply of its own.
struct edit_wish {
  message_id message;
  std::string content;
  std::optional<std::string> client_id; ///< the same one twice gives the same receipt
  std::string params = "{}";            ///< JSON object, stored with the job
};

/// Another reply to the same message, beside this one.
struct regenerate_wish {
  message_id reply;
  std::optional<std::string> params; ///< none: those this reply was asked for with
};

/// The same reply, from where it ended.
struct continue_wish {
  message_id reply;
  std::optional<std::string> params; ///< none: those this reply was asked for with
};

/// The conversation is to go on below this message.
struct select_wish {
  message_id message;
};

using branch_wish =
    std::variant<edit_wish, regenerate_wish, continue_wish, select_wish>;

} // namespace jessica
