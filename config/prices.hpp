// What [[prices]] of jessica.toml amounts to.
#pragma once

#include "config/file.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"

#include <span>
#include <string>
#include <vector>

namespace jessica::config {

/// Fills in.prices: each table has model ("gpt-4o", "gpt-*", "*"), prompt and
/// completion, numbers or texts. One line a mistake.
[[nodiscard]] std::vector<std::string> gather_prices(quota_settings& in,
                                                     std::span<const file_table> tables,
                                                     const std::string& file);

/// "prices.MODEL" for --print-config.
[[nodiscard]] std::vector<option_report> report_prices(const quota_settings& in);

} // namespace jessica::config
