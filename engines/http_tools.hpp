// Tools that are HTTP servers: each call is a POST. One thread carries all calls.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "engines/tool_runner.hpp"

#include <memory>
#include <vector>

namespace jessica::engines {

/// Fails: invalid_input (parameters that are no JSON object, a URL or certificates that
/// cannot be used), naming the tool; none is reached yet.
[[nodiscard]] result<std::unique_ptr<tool_runner>>
open_http_tools(const std::vector<config::tool_settings>& tools);

} // namespace jessica::engines
