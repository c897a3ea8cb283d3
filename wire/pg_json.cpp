#include "wire/pg_json.hpp"

#include "wire/json_writer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace jessica::wire {
namespace {

constexpr auto most_dimensions = 6; // PostgreSQL's own limit

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// Takes the digits off the front; false when there are none.
bool skip_digits(std::string_view& rest) noexcept {
  const auto* end = std::ranges::find_if_not(rest, is_digit);
  const auto found = end != rest.begin();
  rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()));
  return found;
}

bool skip(std::string_view& rest, char c) noexcept {
  if (!rest.starts_with(c))
    return false;
  rest.remove_prefix(1);
  return true;
}

/// A number as JSON spells it; PostgreSQL differs in NaN and the infinities only.
[[nodiscard]] bool is_json_number(std::string_view text) noexcept {
  skip(text, '-');
  if (text.size() > 1 && text[0] == '0' && is_digit(text[1]))
    return false;
  if (!skip_digits(text) || (skip(text, '.') && !skip_digits(text)))
    return false;
  if (skip(text, 'e') || skip(text, 'E')) {
    if (!skip(text, '-'))
      skip(text, '+');
    if (!skip_digits(text))
      return false;
  }
  return text.empty();
}

[[nodiscard]] bool is_number_type(std::string_view type) noexcept {
  static constexpr auto numbers = std::array<std::string_view, 7>{
      "int4", "int8", "float8", "numeric", "int2", "float4", "oid"};
  return std::ranges::contains(numbers, type);
}

/// "2026-11-22 10:00:00.5+00" -> "2026-11-22T10:00:00.5+00:00"; what does not look like
/// this is left alone.
void append_timestamp(std::string& to, std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos || text.ends_with("BC"))
    return append_quoted(to, text);
  const auto time = text.substr(space + 1);
  const auto sign = time.find_first_of("+-");
  auto whole = std::string{text};
  whole[space] = 'T';
  if (sign != std::string_view::npos && !time.substr(sign).contains(':'))
    whole += ":00";
  append_quoted(to, whole);
}

void append_scalar(std::string& to, std::string_view type, std::string_view text) {
  if (is_number_type(type) && is_json_number(text))
    to += text;
  else if (type == "bool" && (text == "t" || text == "f"))
    to += text == "t" ? "true" : "false";
  else if ((type == "json" || type == "jsonb") && !text.empty())
    to += text;
  else if (type == "timestamptz" || type == "timestamp")
    append_timestamp(to, text);
  else
    append_quoted(to, text);
}

/// Reads an array literal as PostgreSQL writes it and appends it as JSON.
class array_printer {
public:
  array_printer(std::string& to, std::string_view literal, std::string_view element)
      : to_{to},
        rest_{literal},
        element_{element},
        delimiter_{element == "box" ? ';' : ','} {}

  /// False when the literal is malformed; what was appended is then to be cut off.
  [[nodiscard]] bool print() { return skip_bounds() && level(1) && rest_.empty(); }

private:
  /// "[0:2][-1:1]=" stands before arrays whose first index is not 1.
  bool skip_bounds() {
    if (!rest_.starts_with('['))
      return true;
    while (skip(rest_, '[')) {
      skip(rest_, '-');
      if (!skip_digits(rest_) || !skip(rest_, ':'))
        return false;
      skip(rest_, '-');
      if (!skip_digits(rest_) || !skip(rest_, ']'))
        return false;
    }
    return skip(rest_, '=');
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as arrays have dimensions
  bool level(int depth) {
    if (depth > most_dimensions || !skip(rest_, '{'))
      return false;
    to_ += '[';
    if (!skip(rest_, '}')) {
      do {
        if (!(rest_.starts_with('{') ? level(depth + 1) : element()))
          return false;
        to_ += ',';
      } while (skip(rest_, delimiter_));
      if (!skip(rest_, '}'))
        return false;
      to_.pop_back();
    }
    to_ += ']';
    return true;
  }

  bool element() {
    if (rest_.starts_with('"'))
      return quoted();
    const auto size = std::ranges::find_if(rest_,
                                           [this](char c) {
                                             return c == delimiter_ || c == '}' ||
                                                    c == '{' || c == '"';
                                           }) -
                      rest_.begin();
    const auto bare = rest_.substr(0, static_cast<std::size_t>(size));
    rest_.remove_prefix(bare.size());
    if (bare.empty())
      return false;
    if (bare == "NULL")
      to_ += "null";
    else
      append_scalar(to_, element_, bare);
    return true;
  }

  bool quoted() {
    auto text = std::string{};
    for (auto i = std::size_t{1}; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        append_scalar(to_, element_, text);
        return true;
      }
      if (rest_[i] == '\\' && ++i == rest_.size())
        return false;
      text += rest_[i];
    }
    return false;
  }

  std::string& to_;
  std::string_view rest_;
  std::string_view element_;
  char delimiter_;
};

} // namespace

void append_json_value(std::string& to, std::string_view type, std::string_view text) {
  if (!type.starts_with('_'))
    return append_scalar(to, type, text);
  const auto start = to.size();
  if (array_printer{to, text, type.substr(1)}.print())
    return;
  to.resize(start);
  append_quoted(to, text);
}

} // namespace jessica::wire
