#include "actors/access_words.hpp"

#include <charconv>
#include <chrono>
#include <ranges>
#include <vector>

namespace jessica::actors {
namespace {

using kind = access_change::kind;

[[nodiscard]] std::optional<std::chrono::sys_seconds> moment(std::string_view text) {
  auto seconds = std::chrono::seconds::rep{0};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
    return std::nullopt;
  return std::chrono::sys_seconds{std::chrono::seconds{seconds}};
}

} // namespace

std::optional<access_change> read_access_change(std::string_view words) {
  auto parts = std::vector<std::string_view>{};
  for (const auto part : std::views::split(words, ' '))
    parts.emplace_back(part);
  if (parts.size() < 2 || parts.size() > 3)
    return std::nullopt;
  const auto user = user_id::parse(parts[1]);
  if (!user || user->none())
    return std::nullopt;
  if (parts.size() == 2 && parts[0] == "let_in")
    return access_change{kind::let_in, {*user, {}}};
  if (parts.size() == 2 && parts[0] == "shut_out")
    return access_change{kind::shut_out, {*user, {}}};
  if (parts.size() == 3 && parts[0] == "shut_out")
    if (const auto until = moment(parts[2]))
      return access_change{kind::shut_out, {*user, {}}, *until};
  if (parts.size() == 3 && parts[0] == "signed_out")
    if (const auto session = auth_session_id::parse(parts[2]))
      return access_change{kind::signed_out, {*user, *session}};
  return std::nullopt;
}

} // namespace jessica::actors
