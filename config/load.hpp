// Reads flags, then JESSICA_* variables, then jessica.toml, then defaults.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jessica::config {

/// The command line: `jessica [options] command [arguments]`.
struct command_line {
  std::vector<std::string> words; ///< the command and its arguments, options removed
  bool print_config = false;
  bool check = false;
  bool help = false;
  bool version = false;
};

/// One option after loading, for --print-config and docs/configuration.md.
struct option_report {
  std::string name;    ///< "net.port"
  std::string value;   ///< secrets masked
  std::string origin;  ///< "flag", "JESSICA_NET_PORT", "jessica.toml:3" or "default"
  std::string meaning; ///< one line
};

struct loaded {
  settings values;
  command_line line;
  std::vector<option_report> report;
};

/// Looks a variable up; lets tests stand in for the process's environment.
using environment = std::function<std::optional<std::string>(const std::string&)>;

/// Loads and validates. Fails with invalid_input naming every mistake at once (one
/// line each): unknown options, unknown JESSICA_* names, bad values, broken TOML.
/// `known_environment` lists the process's JESSICA_* names so typos are found.
/// The file is --config FILE, else ./jessica.toml when it exists.
[[nodiscard]] result<loaded> load(std::span<const std::string> arguments,
                                  const environment& lookup,
                                  std::span<const std::string> known_environment);

/// The options' documentation as Markdown: docs/configuration.md is this text.
[[nodiscard]] std::string configuration_markdown();

} // namespace jessica::config
