// The list of language model providers: what [[providers]] of jessica.toml and the
// section `engine` amount to.
#pragma once

#include "config/file.hpp"
#include "config/load.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::config {

/// Fit for a header: ASCII without control characters.
[[nodiscard]] bool is_printable(std::string_view text);

/// http(s)://host..., without a name and password: they would end in logs.
[[nodiscard]] bool is_address(std::string_view url);

/// One that a table may set: not those that say what HTTP is spoken.
[[nodiscard]] bool is_header_name(std::string_view text);

/// A secret from a file, without white space at its end. Empty: there is none.
[[nodiscard]] std::optional<std::string> read_key(const std::filesystem::path& file);

/// Fills in.engine.providers: the section itself when it has a URL, then the tables in
/// their order. Reads key files. One line a mistake; none holds a secret.
[[nodiscard]] std::vector<std::string>
gather_providers(settings& in, std::span<const file_table> tables,
                 const std::string& file);

/// "providers.NAME.url" and the like for --print-config, secrets masked.
[[nodiscard]] std::vector<option_report> report_providers(const engine_settings& in);

} // namespace jessica::config
