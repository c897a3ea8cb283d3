// A JSON body of a REST write or call: what stands in it, without building it.
#pragma once

#include "domain/error.hpp"
#include "domain/rest.hpp"

#include <string>

namespace jessica::wire {

/// Checks the text and lists its keys; PostgreSQL reads the values. Fails:
/// invalid_input PGRST102.
[[nodiscard]] result<json_body> read_body(std::string text);

} // namespace jessica::wire
