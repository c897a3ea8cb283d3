#include "domain/title.hpp"

#include "domain/utf8.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace jessica {
namespace {

/// What may stand on both sides of a title and is no part of it.
constexpr auto around = std::to_array<std::string_view>(
    {" ", "\t", "\r", "\"", "'", "`", "*", "_", "“", "”", "„", "‘", "’", "«", "»", "「",
     "」", "《", "》"});
constexpr auto stops = std::to_array<std::string_view>({".", "。", ":", ";", ","});
/// What may stand before it.
constexpr auto labels = std::to_array<std::string_view>({"title:", "title -", "#"});

[[nodiscard]] bool equal_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

void strip_front(std::string_view& text) {
  for (auto again = true; again;) {
    again = false;
    for (const auto mark : around)
      while (text.starts_with(mark)) {
        text.remove_prefix(mark.size());
        again = true;
      }
    for (const auto label : labels)
      if (equal_letters(text.substr(0, label.size()), label)) {
        text.remove_prefix(label.size());
        again = true;
      }
  }
}

void strip_back(std::string_view& text) {
  const auto strip = [&](auto& marks) {
    auto found = false;
    for (const auto mark : marks)
      while (text.ends_with(mark)) {
        text.remove_suffix(mark.size());
        found = true;
      }
    return found;
  };
  while (strip(around) || (!text.ends_with("..") && strip(stops))) {
  }
}

/// The words with one space between them, as many characters as a title has.
[[nodiscard]] std::string squeezed(std::string_view line) {
  auto out = std::string{};
  auto characters = std::size_t{0};
  auto space = false;
  while (!line.empty() && characters < most_title_characters) {
    const auto size = first_code_point(line).size;
    const auto blank = line.front() == ' ' || line.front() == '\t';
    if (!blank && static_cast<unsigned char>(line.front()) >= ' ') {
      if (space && !out.empty()) {
        out += ' ';
        ++characters;
      }
      out += line.substr(0, size);
      ++characters;
    }
    space = blank;
    line.remove_prefix(size);
  }
  return out;
}

} // namespace

std::string clean_title(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    strip_front(line);
    strip_back(line);
    if (!line.empty())
      return squeezed(line);
  }
  return {};
}

} // namespace jessica
