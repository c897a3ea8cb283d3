// The tools that engines may call: what [[tools]] of jessica.toml amounts to.
#pragma once

#include "config/file.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"

#include <span>
#include <string>
#include <vector>

namespace jessica::config {

/// Fills in.all, in the tables' order. Reads key files. One line a mistake; none holds
/// a secret. Whether `parameters` are JSON is seen when the tools are opened.
[[nodiscard]] std::vector<std::string> gather_tools(tools_settings& in,
                                                    std::span<const file_table> tables,
                                                    const std::string& file);

/// "tools.NAME.url" and the like for --print-config, secrets masked.
[[nodiscard]] std::vector<option_report> report_tools(const tools_settings& in);

} // namespace jessica::config
