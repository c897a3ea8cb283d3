// Titles of conversations, read and written as their owners.
#pragma once

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "storage/connection.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace jessica::storage {

/// How a conversation begins.
struct first_exchange {
  std::string question;
  std::string reply; ///< may be empty
};

/// Of a conversation whose title is still the one that its first message gave it; none:
/// it has another one, or is not the user's. Role: requests.
[[nodiscard]] result<std::optional<first_exchange>>
load_untitled(connection& db, user_id owner, conversation_id which);

/// False: it has a title of its own meanwhile, which stays. Role: requests.
[[nodiscard]] result<bool> store_title(connection& db, user_id owner,
                                       conversation_id which, std::string_view title);

} // namespace jessica::storage
