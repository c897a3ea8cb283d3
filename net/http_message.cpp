#include "net/http_message.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ranges>

namespace jessica::net {
namespace {

auto find(const header_list& headers, std::string_view name) {
  return std::ranges::find(
      headers, name, [](const auto& field) -> std::string_view { return field.first; });
}

[[nodiscard]] std::string_view trimmed(std::string_view text) {
  constexpr auto blank = std::string_view{" \t"};
  const auto first = std::min(text.find_first_not_of(blank), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(blank) + 1);
}

[[nodiscard]] bool is_address(const std::string& text) {
  auto parsed = std::array<unsigned char, sizeof(in6_addr)>{};
  return ::inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

/// The addresses of all X-Forwarded-For lines, in the order they were added.
[[nodiscard]] std::vector<std::string_view> forwarded_for(const header_list& headers) {
  auto all = std::vector<std::string_view>{};
  for (const auto& [name, value] : headers)
    if (name == "x-forwarded-for")
      for (const auto part : std::views::split(std::string_view{value}, ','))
        all.push_back(trimmed(std::string_view{part}));
  return all;
}

} // namespace

std::string client_address(const http_request& asked, const std::string& peer,
                           std::size_t trusted_proxies) {
  if (trusted_proxies == 0)
    return peer;
  const auto all = forwarded_for(asked.headers);
  if (all.size() < trusted_proxies)
    return peer;
  auto address = std::string{all[all.size() - trusted_proxies]};
  return is_address(address) ? address : peer;
}

std::string_view http_request::header(std::string_view name) const noexcept {
  const auto it = find(headers, name);
  return it == headers.end() ? std::string_view{} : std::string_view{it->second};
}

bool http_request::has(std::string_view name) const noexcept {
  return find(headers, name) != headers.end();
}

} // namespace jessica::net
