// jessica.toml as a flat list of names and values; the only file that sees toml++.
#pragma once

#include "config/options.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace jessica::config {

/// One `key = value`, as found.
struct file_entry {
  std::string name;      ///< "net.port"; a key outside of all sections is just "port"
  std::string text;      ///< the value's text, for option_text's parse_value
  bool quoted = false;   ///< written as a string
  bool supported = true; ///< false for lists, dates, fractions, nested sections
  int line = 0;
  std::vector<std::string> items{}; ///< of a list of nothing but texts
  std::string fraction{};           ///< of a fraction: its shortest decimal form
};

/// One [[providers]] or [[tools]] table: names without a section, headers as
/// "headers.NAME", a tool's parameters as one text: JSON.
struct file_table {
  int line = 0;
  std::vector<file_entry> entries;
};

struct file_content {
  std::vector<file_entry> entries;
  std::vector<file_table> providers;
  std::vector<file_table> tools;
  std::vector<file_table> prices;
  std::vector<std::string> mistakes; ///< of reading and of TOML syntax, one line each
};

/// Never throws. Files over 1 MiB are refused.
[[nodiscard]] file_content read_file(const std::filesystem::path& file);

} // namespace jessica::config
