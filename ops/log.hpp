// One JSON line an event: {"ts":..,"level":..,"event":"job.started",...fields}.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace jessica::ops {

/// A named value of an event. Names end in their unit. Never a secret.
struct field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  field(std::string_view n, std::string_view v) : name(n), value(v) {}
  field(std::string_view n, const std::string& v)
      : name(n), value(std::string_view(v)) {}
  field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  field(std::string_view n, bool v) : name(n), value(v) {}
  field(std::string_view n, double v) : name(n), value(v) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  field(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
};

using fields = std::initializer_list<field>;

/// Opens the log on standard error. `level`: debug, info, warn or error. Call once
/// before threads start; without it events at info and above still go out.
void open_log(std::string_view level);

/// Any thread. `event` is `<noun>.<verb>`. Never throws; a line is at most 8 KiB.
void debug(std::string_view event, fields = {}) noexcept;
void info(std::string_view event, fields = {}) noexcept;
void warn(std::string_view event, fields = {}) noexcept;
void error(std::string_view event, fields = {}) noexcept;

/// The line as it would be written, without its newline. Pure; used by tests.
[[nodiscard]] std::string log_line(std::string_view timestamp, std::string_view level,
                                   std::string_view event, fields);

} // namespace jessica::ops
