// The text forms of option values: counts, sizes, durations, switches. Pure.
#pragma once

#include "domain/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jessica::config {

/// Digits only, no sign. Fails: invalid_input ("is not a whole number").
[[nodiscard]] result<std::uint64_t> parse_count(std::string_view text);

/// Bytes: "1048576", "64KiB", "1MiB", "2GiB". Fails: invalid_input.
[[nodiscard]] result<std::uint64_t> parse_size(std::string_view text);

/// "10" (seconds), "500ms", "10s", "2m", "1h". Fails: invalid_input.
[[nodiscard]] result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// true, yes, on, 1 or false, no, off, 0. Fails: invalid_input.
[[nodiscard]] result<bool> parse_switch(std::string_view text);

/// The shortest form parse_size reads back: "1MiB", "19000".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// "10s" for whole seconds, else "1500ms".
[[nodiscard]] std::string duration_text(std::chrono::milliseconds time);

/// A PostgreSQL URL or keyword string with its passwords replaced by "***".
[[nodiscard]] std::string mask_passwords(std::string_view conninfo);

/// How many letters must be typed, left out or changed to get from one to the other.
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

} // namespace jessica::config
