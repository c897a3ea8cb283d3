// The Prefer header of the REST dialect.
#pragma once

#include "domain/rest.hpp"

#include <string>
#include <string_view>

namespace jessica::wire {

/// Of several preferences of one kind the first wins; what is not understood is listed
/// as unknown.
[[nodiscard]] preferences read_prefer(std::string_view header);

/// The value of Preference-Applied: those that `of` honours; empty: none.
[[nodiscard]] std::string preference_applied(const preferences& asked, rest_action of);

} // namespace jessica::wire
