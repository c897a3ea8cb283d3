#include "ops/log.hpp"

#include "domain/utf8.hpp"
#include "ops/terminal_line.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <format>
#include <memory>

namespace jessica::ops {
namespace {

/// A line with its newline; longer ones are cut and say so. Keeps one write small
/// enough for pipes and log collectors.
constexpr auto max_line_bytes = std::size_t{8192};
constexpr auto cut_mark = std::string_view{R"(,"truncated":true)"};
constexpr auto line_end = std::string_view{"}"};
/// What fields may fill: the rest is kept for the mark, the brace and the newline.
constexpr auto field_room = max_line_bytes - cut_mark.size() - line_end.size() - 1;

/// Appends `text` escaped for a JSON string while the line stays within `limit` bytes.
/// Bytes that are not UTF-8 become U+FFFD. False: something was left out.
bool append_escaped(std::string& out, std::string_view text, std::size_t limit) {
  while (!text.empty()) {
    const auto next = first_code_point(text);
    const auto piece = [&]() -> std::string {
      if (!next.valid)
        return "\uFFFD";
      switch (next.value) {
      case U'"':
        return "\\\"";
      case U'\\':
        return "\\\\";
      case U'\n':
        return "\\n";
      case U'\r':
        return "\\r";
      case U'\t':
        return "\\t";
      default:
        if (next.value < 0x20 || next.value == 0x7f)
          return std::format("\\u{:04x}", static_cast<unsigned>(next.value));
        return std::string{text.substr(0, next.size)};
      }
    }();
    if (out.size() + piece.size() > limit)
      return false;
    out += piece;
    text.remove_prefix(next.size);
  }
  return true;
}

std::string number_text(double value) {
  if (!std::isfinite(value))
    return "null"; // JSON has no such numbers
  return std::format("{}", value);
}

/// Appends `,"name":value`; false when the value was cut or there was no room at all.
bool append_field(std::string& out, const field& what) {
  constexpr auto quotes = std::size_t{5}; // of ,"":"" without the comma's own byte
  auto head = std::string{",\""};
  append_escaped(head, what.name, field_room);
  head += "\":";
  if (const auto* text = std::get_if<std::string_view>(&what.value)) {
    if (out.size() + head.size() + quotes > field_room)
      return false;
    out += head;
    out += '"';
    const auto whole = append_escaped(out, *text, field_room - 1);
    out += '"';
    return whole;
  }
  if (const auto* flag = std::get_if<bool>(&what.value))
    head += *flag ? "true" : "false";
  else if (const auto* number = std::get_if<std::int64_t>(&what.value))
    head += std::to_string(*number);
  else
    head += number_text(std::get<double>(what.value));
  if (out.size() + head.size() > field_room)
    return false;
  out += head;
  return true;
}

/// Set once, before threads start: standard error is a terminal.
bool for_people = false;

/// Made at first use and never freed: threads may log while the process ends.
spdlog::logger& logger() {
  static auto* const made = [] {
    auto fresh = std::make_unique<spdlog::logger>(
        "jessica", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    fresh->set_pattern("%v");
    fresh->set_level(spdlog::level::info);
    return fresh.release();
  }();
  return *made;
}

void write(spdlog::level::level_enum level, std::string_view name,
           std::string_view event, fields with) noexcept {
  try {
    if (!logger().should_log(level))
      return;
    using namespace std::chrono;
    const auto now = floor<microseconds>(system_clock::now());
    logger().log(
        level, for_people ? terminal_line(std::format("{:%T}", floor<seconds>(now)),
                                          name, event, with)
                          : log_line(std::format("{:%FT%T}Z", now), name, event, with));
  } catch (...) {
    // Out of memory: a line that needs none tells that one was lost.
    std::fputs("{\"level\":\"error\",\"event\":\"log.lost\"}\n", stderr);
  }
}

} // namespace

void open_log(std::string_view level) {
  const auto chosen = level == "debug"   ? spdlog::level::debug
                      : level == "warn"  ? spdlog::level::warn
                      : level == "error" ? spdlog::level::err
                                         : spdlog::level::info;
  logger().set_level(chosen);
  for_people = ::isatty(STDERR_FILENO) == 1;
}

void debug(std::string_view event, fields with) noexcept {
  write(spdlog::level::debug, "debug", event, with);
}

void info(std::string_view event, fields with) noexcept {
  write(spdlog::level::info, "info", event, with);
}

void warn(std::string_view event, fields with) noexcept {
  write(spdlog::level::warn, "warn", event, with);
}

void error(std::string_view event, fields with) noexcept {
  write(spdlog::level::err, "error", event, with);
}

std::string log_line(std::string_view timestamp, std::string_view level,
                     std::string_view event, fields with) {
  // Event names are ours and short; the limit guards against one that is not.
  constexpr auto max_event_bytes = std::size_t{256};
  auto line = std::format(R"({{"ts":"{}","level":"{}","event":")", timestamp, level);
  auto whole = append_escaped(line, event, line.size() + max_event_bytes);
  line += '"';
  for (const auto& one : with)
    whole = append_field(line, one) && whole;
  if (!whole)
    line += cut_mark;
  line += line_end;
  return line;
}

} // namespace jessica::ops
