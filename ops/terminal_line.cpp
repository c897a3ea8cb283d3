#include "ops/terminal_line.hpp"

#include "domain/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <format>

namespace jessica::ops {
namespace {

constexpr auto max_line_bytes = std::size_t{8192};
constexpr auto cut_mark = std::string_view{" ..."};

/// Without what would move the cursor: a terminal obeys some bytes.
std::string harmless(std::string_view text) {
  auto shown = std::string{};
  while (!text.empty()) {
    const auto next = first_code_point(text);
    const auto control = next.value < 0x20 || (next.value >= 0x7f && next.value < 0xa0);
    if (!next.valid)
      shown += "\uFFFD";
    else
      shown += control ? std::string_view{" "} : text.substr(0, next.size);
    text.remove_prefix(next.size);
  }
  return shown;
}

/// As one word, in quotes when it would not be one.
std::string word_of(std::string_view text) {
  auto shown = harmless(text.substr(0, std::min(text.size(), max_line_bytes)));
  const auto one = !shown.empty() && shown.find_first_of(" =\"") == std::string::npos;
  return one ? shown : '"' + shown + '"';
}

std::string value_of(const field& what) {
  if (const auto* text = std::get_if<std::string_view>(&what.value))
    return word_of(*text);
  if (const auto* flag = std::get_if<bool>(&what.value))
    return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&what.value))
    return std::to_string(*number);
  return std::format("{}", std::get<double>(what.value));
}

} // namespace

std::string terminal_line(std::string_view timestamp, std::string_view level,
                          std::string_view event, fields with) {
  auto line = std::format("{} {:<5} {}", timestamp, level, event);
  for (const auto& one : with) {
    const auto next = std::format(" {}={}", one.name, value_of(one));
    if (line.size() + next.size() + cut_mark.size() > max_line_bytes)
      return line.append(cut_mark);
    line += next;
  }
  return line;
}

} // namespace jessica::ops
