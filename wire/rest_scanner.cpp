#include "wire/rest_scanner.hpp"

#include <cctype>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto bad_syntax = "PGRST100";

/// Bytes of a bare name; whatever is not ASCII counts as a letter.
[[nodiscard]] bool is_name_byte(char c) {
  return is_letter_or_digit(c) || c == '_' || c == '$' || c == '-' || c == ' ' ||
         static_cast<unsigned char>(c) >= 0x80U;
}

} // namespace

std::unexpected<error> cannot_parse(std::string_view what, std::string_view text) {
  return fail(errc::invalid_input,
              "\"failed to parse " + std::string{what} + " (" + std::string{text} +
                  ")\" (line 1, column 1)",
              bad_syntax);
}

std::unexpected<error> unsupported(std::string what) {
  return fail(errc::invalid_input, what + " not supported by this server", bad_syntax);
}

std::unexpected<error> not_embedded(std::string_view relation) {
  return fail(errc::invalid_input,
              "'" + std::string{relation} +
                  "' is not an embedded resource in this request",
              "PGRST108");
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

result<std::string> take_column(std::string_view& rest, std::string_view what) {
  const auto whole = rest;
  auto name = take_name(rest);
  if (!name)
    return cannot_parse(what, whole);
  if (rest.starts_with("->"))
    return unsupported("JSON paths are");
  if (rest.starts_with('('))
    return not_embedded(*name);
  return std::move(*name);
}

} // namespace jessica::wire
