#include "wire/email_address.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace jessica::wire {
namespace {

/// Of a host name between two dots (RFC 1035).
constexpr auto max_label_bytes = std::size_t{63};

[[nodiscard]] std::unexpected<error> invalid(std::string what) {
  return fail(errc::invalid_input, std::move(what), "validation_failed");
}

[[nodiscard]] bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

[[nodiscard]] bool is_local_part(std::string_view text) {
  constexpr auto signs = std::string_view{".!#$%&'*+/=?^_`{|}~-"};
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_letter_or_digit(c) || signs.contains(c);
  });
}

[[nodiscard]] bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= max_label_bytes && text.front() != '-' &&
         text.back() != '-' && std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '-';
         });
}

[[nodiscard]] bool is_host(std::string_view text) {
  for (;;) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot)))
      return false;
    if (dot == std::string_view::npos)
      return true;
    text.remove_prefix(dot + 1);
  }
}

} // namespace

result<std::string> read_email(std::string text) {
  const auto at = text.find('@');
  const auto whole = std::string_view{text};
  if (at == std::string::npos || !is_local_part(whole.substr(0, at)) ||
      !is_host(whole.substr(at + 1)))
    return invalid("Unable to validate email address: invalid format");
  if (text.size() > max_email_bytes)
    return invalid("An email address is too long (255)");
  return lower_case(std::move(text));
}

std::string lower_case(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

} // namespace jessica::wire
