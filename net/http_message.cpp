#include "net/http_message.hpp"

#include <algorithm>

namespace jessica::net {
namespace {

auto find(const header_list& headers, std::string_view name) {
  return std::ranges::find(
      headers, name, [](const auto& field) -> std::string_view { return field.first; });
}

} // namespace

std::string_view http_request::header(std::string_view name) const noexcept {
  const auto it = find(headers, name);
  return it == headers.end() ? std::string_view{} : std::string_view{it->second};
}

bool http_request::has(std::string_view name) const noexcept {
  return find(headers, name) != headers.end();
}

} // namespace jessica::net
