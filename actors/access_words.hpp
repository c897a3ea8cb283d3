// What jessica.wake() says of logins, in words.
#pragma once

#include "domain/login.hpp"

#include <optional>
#include <string_view>

namespace jessica::actors {

/// "signed_out USER SESSION", "shut_out USER", "shut_out USER UNTIL" (unix seconds) or
/// "let_in USER"; nullopt for anything else.
[[nodiscard]] std::optional<access_change> read_access_change(std::string_view words);

} // namespace jessica::actors
