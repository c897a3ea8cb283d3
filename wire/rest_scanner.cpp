#include "wire/rest_scanner.hpp"

#include <algorithm>
#include <cctype>
#include <memory>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto bad_syntax = "PGRST100";

/// Bytes of a bare name; whatever is not ASCII counts as a letter.
[[nodiscard]] bool is_name_byte(char c) {
  return is_letter_or_digit(c) || c == '_' || c == '$' || c == '-' || c == ' ' ||
         static_cast<unsigned char>(c) >= 0x80U;
}

/// A whole number that PostgreSQL takes for an array's index.
[[nodiscard]] bool is_index(std::string_view text) {
  constexpr auto most_digits = std::size_t{9};
  if (text.starts_with('-'))
    text.remove_prefix(1);
  return !text.empty() && text.size() <= most_digits &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

std::unexpected<error> cannot_parse(std::string_view what, std::string_view text) {
  return fail(errc::invalid_input,
              "\"failed to parse " + std::string{what} + " (" + std::string{text} +
                  ")\" (line 1, column 1)",
              bad_syntax);
}

std::unexpected<error> refused(std::string code, std::string message,
                               std::string details, std::string hint) {
  auto fault = std::make_shared<const sql_fault>(
      sql_fault{code, message, std::move(details), std::move(hint)});
  return std::unexpected{error{errc::invalid_input, std::move(message), std::move(code),
                               std::move(fault)}};
}

std::unexpected<error> not_embedded(std::string_view relation) {
  const auto name = "'" + std::string{relation} + "'";
  return refused("PGRST108", name + " is not an embedded resource in this request", {},
                 "Verify that " + name +
                     " is included in the 'select' query parameter.");
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_letter_or_digit(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool take(std::string_view& rest, std::string_view what) {
  if (!rest.starts_with(what))
    return false;
  rest.remove_prefix(what.size());
  return true;
}

std::optional<std::string> take_quoted(std::string_view& rest) {
  auto text = std::string{};
  for (auto i = std::size_t{1}; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] == '\\' && i + 1 < rest.size())
      ++i;
    text += rest[i];
  }
  return std::nullopt;
}

std::optional<std::string> take_name(std::string_view& rest) {
  if (rest.starts_with('"')) {
    auto name = take_quoted(rest);
    return name && !name->empty() ? name : std::nullopt;
  }
  auto end = std::size_t{0};
  while (end < rest.size() && is_name_byte(rest[end]) &&
         !rest.substr(end).starts_with("->"))
    ++end;
  const auto name = trimmed(rest.substr(0, end));
  rest.remove_prefix(end);
  return name.empty() ? std::nullopt : std::optional{std::string{name}};
}

bool take_steps(std::string_view& rest, std::vector<json_step>& into) {
  while (take(rest, "->")) {
    auto step = json_step{};
    step.as_text = take(rest, ">");
    if (rest.starts_with('"')) {
      auto key = take_quoted(rest);
      if (!key)
        return false;
      step.key = std::move(*key);
    } else {
      auto end = std::size_t{0};
      while (end < rest.size() && !std::string_view{".,:()\""}.contains(rest[end]) &&
             !rest.substr(end).starts_with("->"))
        ++end;
      step.key = rest.substr(0, end);
      step.index = is_index(step.key);
      rest.remove_prefix(end);
    }
    if (step.key.empty())
      return false;
    into.push_back(std::move(step));
  }
  return true;
}

std::optional<column_path> take_column(std::string_view& rest) {
  auto name = take_name(rest);
  if (!name)
    return std::nullopt;
  auto path = column_path{std::move(*name), {}};
  if (!take_steps(rest, path.steps))
    return std::nullopt;
  return path;
}

} // namespace jessica::wire
