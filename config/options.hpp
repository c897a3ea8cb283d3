// The table of options: for each member of settings.hpp its name, meaning and bounds.
// Flags, JESSICA_* variables, the file, --print-config and the documentation all follow
// from it.
#pragma once

#include "config/settings.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace jessica::config {

/// How an option's value is written.
enum class value_form : std::uint8_t { text, path, toggle, count, bytes, duration };

/// A value in its form: durations as milliseconds, sizes as bytes.
using option_value = std::variant<std::string, bool, std::uint64_t>;

struct option {
  std::string_view name; ///< "net.port": section and key
  value_form form = value_form::text;
  std::string_view meaning;               ///< one line, ends with a dot
  std::uint64_t least = 0;                ///< of counts, bytes and durations
  std::uint64_t most = 0;                 ///< inclusive
  bool whole_seconds = false;             ///< durations without a fraction
  std::span<const std::string_view> only; ///< texts allowed; empty: any
  std::string_view alias;                 ///< a second name, or empty
  bool secret = false;                    ///< a database URL: its password is masked
  bool hidden = false;                    ///< is a secret: only shown whether it is set
  void (*assign)(settings&, const option_value&) = nullptr;
  option_value (*read)(const settings&) = nullptr;
};

/// All of them, section by section.
[[nodiscard]] std::span<const option> options();

} // namespace jessica::config
