// An option's names and values as people write and read them. Pure.
#pragma once

#include "config/options.hpp"
#include "domain/error.hpp"

#include <string>
#include <string_view>

namespace jessica::config {

/// "net.port" as a flag ("--net-port").
[[nodiscard]] std::string flag_name(std::string_view name);

/// "net.port" as a variable ("JESSICA_NET_PORT").
[[nodiscard]] std::string variable_name(std::string_view name);

/// Reads a value and checks it against the option's bounds. Fails: invalid_input, to be
/// read after the option's name ("must be from 0 to 65535, not 70000"); never repeats
/// the value of a secret.
[[nodiscard]] result<option_value> parse_value(const option& of, std::string_view text);

/// The value an option has, written as it could be given; secrets masked.
[[nodiscard]] std::string value_text(const option& of, const settings& in);

/// What may be given, in words: "0 to 65535", "91s to 604800s", "debug, info, ...".
[[nodiscard]] std::string accepts_text(const option& of);

} // namespace jessica::config
