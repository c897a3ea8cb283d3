#include "domain/letter.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jessica {
namespace {

constexpr auto names = std::to_array<std::pair<letter_kind, std::string_view>>({
    {letter_kind::confirmation, "confirmation"},
    {letter_kind::invite, "invite"},
    {letter_kind::magic_link, "magic_link"},
    {letter_kind::recovery, "recovery"},
    {letter_kind::email_change_current, "email_change_current"},
    {letter_kind::email_change_new, "email_change_new"},
    {letter_kind::reauthentication, "reauthentication"},
});

} // namespace

std::string_view name(letter_kind kind) noexcept {
  const auto* found =
      std::ranges::find(names, kind, [](auto& row) { return row.first; });
  return found == names.end() ? std::string_view{} : found->second;
}

std::optional<letter_kind> parse_letter_kind(std::string_view name) noexcept {
  const auto* found =
      std::ranges::find(names, name, [](auto& row) { return row.second; });
  return found == names.end() ? std::nullopt : std::optional{found->first};
}

} // namespace jessica
