// What a function says about its own answer: response.headers and response.status.
#pragma once

#include "domain/error.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::wire {

/// A JSON array of objects with one key and a text each, which can stand in a message's
/// head; empty: none. Fails: internal, PGRST111.
[[nodiscard]] result<std::vector<std::pair<std::string, std::string>>>
read_response_headers(std::string_view setting);

/// A status from 200 to 599; empty: `otherwise`. Fails: internal, PGRST112.
[[nodiscard]] result<int> read_response_status(std::string_view setting, int otherwise);

} // namespace jessica::wire
