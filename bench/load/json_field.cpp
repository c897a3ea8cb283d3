#include "bench/load/json_field.hpp"

#include <charconv>
#include <cstddef>

namespace jessica::bench {
namespace {

/// What follows `"name":` and blanks; empty: no such member.
[[nodiscard]] std::string_view after_name(std::string_view json,
                                          std::string_view name) {
  for (auto at = json.find(name); at != std::string_view::npos;
       at = json.find(name, at + 1)) {
    const auto opened =
        at > 0 && json[at - 1] == '"' && (at < 2 || json[at - 2] != '\\');
    auto rest = json.substr(at + name.size());
    if (!opened || !rest.starts_with("\""))
      continue;
    rest.remove_prefix(1);
    const auto colon = rest.find_first_not_of(" \n\t\r");
    if (colon == std::string_view::npos || rest[colon] != ':')
      continue;
    rest.remove_prefix(colon + 1);
    const auto value = rest.find_first_not_of(" \n\t\r");
    return value == std::string_view::npos ? std::string_view{} : rest.substr(value);
  }
  return {};
}

} // namespace

std::optional<std::string_view> text_field(std::string_view json,
                                           std::string_view name) {
  auto rest = after_name(json, name);
  if (!rest.starts_with('"'))
    return std::nullopt;
  rest.remove_prefix(1);
  for (auto i = std::size_t{0}; i < rest.size(); ++i) {
    if (rest[i] == '\\')
      ++i;
    else if (rest[i] == '"')
      return rest.substr(0, i);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_field(std::string_view json,
                                          std::string_view name) {
  const auto rest = after_name(json, name);
  auto value = std::uint64_t{0};
  const auto [end, bad] =
      std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return bad == std::errc{} ? std::optional{value} : std::nullopt;
}

} // namespace jessica::bench
