#include "wire/redirect.hpp"

#include <algorithm>
#include <cstddef>
#include <format>
#include <optional>

namespace jessica::wire {
namespace {

[[nodiscard]] std::string lower(std::string_view text) {
  auto made = std::string{text};
  for (auto& c : made)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return made;
}

struct origin {
  std::string scheme;
  std::string host;
  std::string port; ///< empty: the scheme's own
};

[[nodiscard]] bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

[[nodiscard]] std::string_view authority_of(std::string_view rest) {
  return rest.substr(0, rest.find_first_of("/?#"));
}

/// nullopt: no URL that a client may be sent to.
[[nodiscard]] std::optional<origin> parse(std::string_view url) {
  const auto bad = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '\x7f' || c == '\\';
  };
  const auto colon = url.find("://");
  if (colon == std::string_view::npos || colon == 0 || std::ranges::any_of(url, bad))
    return std::nullopt;
  const auto authority = authority_of(url.substr(colon + 3));
  if (authority.contains('@'))
    return std::nullopt;
  const auto bracket = authority.find(']');
  const auto port =
      authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  auto made = origin{lower(url.substr(0, colon)), lower(authority.substr(0, port)), {}};
  if (port != std::string_view::npos)
    made.port = authority.substr(port + 1);
  if (is_number(made.host))
    return std::nullopt;
  return made;
}

[[nodiscard]] bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

[[nodiscard]] bool same_site(const origin& one, const origin& other) {
  return !one.host.empty() && one.scheme == other.scheme && one.host == other.host &&
         (one.port == other.port || is_loopback(one.host));
}

[[nodiscard]] bool separates(char c) {
  return c == '.' || c == '/';
}

/// Without recursion or backtracking beyond the text's length times the pattern's:
/// `fits[i]` says whether the pattern so far fits the first i characters.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text) {
  auto now = std::vector<bool>(text.size() + 1, false);
  now[0] = true;
  for (auto at = std::size_t{0}; at < pattern.size(); ++at) {
    const auto star = pattern[at] == '*';
    const auto any = star && pattern.substr(at).starts_with("**");
    auto next = std::vector<bool>(text.size() + 1, false);
    if (star)
      next[0] = now[0];
    for (auto i = std::size_t{1}; i <= text.size(); ++i) {
      const auto c = text[i - 1];
      if (star)
        next[i] = now[i] || (next[i - 1] && (any || !separates(c)));
      else
        next[i] = now[i - 1] && (pattern[at] == '?' ? !separates(c) : pattern[at] == c);
    }
    now = std::move(next);
    at += any ? 1 : 0;
  }
  return now.back();
}

[[nodiscard]] std::string encoded(url_values values) {
  constexpr auto unreserved = std::string_view{
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"};
  std::ranges::stable_sort(values, {}, [](const auto& value) { return value.first; });
  auto made = std::string{};
  for (const auto& [key, value] : values) {
    made += made.empty() ? "" : "&";
    made += key;
    made += '=';
    for (const auto c : value)
      if (c == ' ')
        made += '+';
      else if (unreserved.contains(c))
        made += c;
      else
        made += std::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return made;
}

[[nodiscard]] std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  const auto last = text.find_last_not_of(' ');
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, last - first + 1);
}

} // namespace

bool may_redirect(std::string_view url, std::string_view site,
                  std::string_view patterns) {
  constexpr auto longest = std::size_t{2048};
  const auto to = url.size() <= longest ? parse(url) : std::nullopt;
  if (!to)
    return false;
  if (const auto home = parse(site); home && same_site(*home, *to))
    return true;
  const auto bare = url.substr(0, url.find_first_of("?#"));
  while (!patterns.empty()) {
    const auto comma = patterns.find(',');
    const auto one = trimmed(patterns.substr(0, comma));
    patterns.remove_prefix(comma == std::string_view::npos ? patterns.size()
                                                           : comma + 1);
    if (!one.empty() && (fits(one, url) || fits(one, bare)))
      return true;
  }
  return false;
}

std::string with_fragment(std::string_view url, url_values values) {
  return std::string{url.substr(0, url.find('#'))} + '#' + encoded(std::move(values));
}

std::string with_query(std::string_view url, url_values values) {
  const auto hash = std::min(url.find('#'), url.size());
  auto made = std::string{url.substr(0, hash)};
  made += made.contains('?') ? '&' : '?';
  made += encoded(std::move(values));
  return made + std::string{url.substr(hash)};
}

} // namespace jessica::wire
