#include "config/option_text.hpp"

#include "config/values.hpp"

#include <algorithm>
#include <format>
#include <utility>

namespace jessica::config {
namespace {

constexpr auto one_second_ms = std::uint64_t{1000};

std::string number_text(value_form form, std::uint64_t number) {
  if (form == value_form::bytes)
    return size_text(number);
  if (form == value_form::duration)
    return duration_text(milliseconds{static_cast<std::int64_t>(number)});
  return std::to_string(number);
}

result<std::uint64_t> parse_number(value_form form, std::string_view text) {
  if (form == value_form::bytes)
    return parse_size(text);
  if (form == value_form::count)
    return parse_count(text);
  return parse_duration(text).transform(
      [](milliseconds time) { return static_cast<std::uint64_t>(time.count()); });
}

std::unexpected<error> refused(std::string_view text, std::string_view why) {
  // Long enough to recognise what was typed, short enough for one line.
  constexpr auto shown_bytes = std::size_t{64};
  return fail(errc::invalid_input,
              std::format("\"{}\" {}", text.substr(0, shown_bytes), why));
}

result<option_value> parse_text(const option& of, std::string_view text) {
  if (!of.only.empty() && !std::ranges::contains(of.only, text))
    return refused(text, "is not one of: " + accepts_text(of));
  const auto postgres = text.starts_with("postgres://") ||
                        text.starts_with("postgresql://") ||
                        (text.contains('=') && !text.contains("://"));
  if (of.secret && !text.empty() && !postgres)
    return fail(errc::invalid_input, "is neither a postgres:// URL nor keywords like "
                                     "host=... dbname=...");
  return option_value{std::string{text}};
}

} // namespace

std::string flag_name(std::string_view name) {
  auto flag = "--" + std::string{name};
  std::ranges::replace_if(flag, [](char c) { return c == '.' || c == '_'; }, '-');
  return flag;
}

std::string variable_name(std::string_view name) {
  auto variable = "JESSICA_" + std::string{name};
  for (auto& c : variable)
    c = c == '.' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
  return variable;
}

result<option_value> parse_value(const option& of, std::string_view text) {
  if (of.form == value_form::text || of.form == value_form::path)
    return parse_text(of, text);
  if (of.form == value_form::toggle) {
    const auto on = parse_switch(text);
    if (!on)
      return refused(text, on.error().what);
    return option_value{*on};
  }
  const auto number = parse_number(of.form, text);
  if (!number)
    return refused(text, number.error().what);
  if (*number < of.least || *number > of.most)
    return refused(text, "is not in " + accepts_text(of));
  if (of.whole_seconds && *number % one_second_ms != 0)
    return refused(text, "is not a whole number of seconds");
  return option_value{*number};
}

std::string value_text(const option& of, const settings& in) {
  const auto value = of.read(in);
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (of.password)
      return text->empty() ? "" : "***";
    return of.secret ? mask_passwords(*text) : *text;
  }
  if (const auto* on = std::get_if<bool>(&value))
    return *on ? "true" : "false";
  return number_text(of.form, std::get<std::uint64_t>(value));
}

std::string accepts_text(const option& of) {
  switch (of.form) {
  case value_form::path:
    return "a path";
  case value_form::toggle:
    return "true or false";
  case value_form::text: {
    if (of.only.empty())
      return "text";
    auto names = std::string{};
    for (const auto& one : of.only)
      names.append(names.empty() ? "" : ", ").append(one);
    return names;
  }
  case value_form::count:
  case value_form::bytes:
  case value_form::duration:
    break;
  }
  return number_text(of.form, of.least) + " to " + number_text(of.form, of.most);
}

} // namespace jessica::config
