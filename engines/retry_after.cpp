#include "engines/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace jessica::engines {
namespace {

using std::chrono::milliseconds;

constexpr auto longest = milliseconds{std::chrono::hours{24}};

[[nodiscard]] std::optional<int> number(std::string_view text) {
  auto value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size() ? std::optional{value}
                                                               : std::nullopt;
}

[[nodiscard]] std::optional<unsigned> month_of(std::string_view name) {
  constexpr auto names =
      std::array<std::string_view, 12>{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::ranges::find(names, name);
  if (found == names.end())
    return std::nullopt;
  return static_cast<unsigned>(found - names.begin()) + 1;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form that is sent today.
[[nodiscard]] std::optional<std::chrono::sys_seconds> read_date(std::string_view text) {
  constexpr auto size = std::string_view{"Sun, 06 Nov 1994 08:49:37 GMT"}.size();
  if (text.size() != size || !text.ends_with(" GMT"))
    return std::nullopt;
  const auto day = number(text.substr(5, 2));
  const auto month = month_of(text.substr(8, 3));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (!day || !month || !year || !hour || !minute || !second)
    return std::nullopt;
  const auto date =
      std::chrono::year_month_day{std::chrono::year{*year}, std::chrono::month{*month},
                                  std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} +
         std::chrono::minutes{*minute} + std::chrono::seconds{*second};
}

} // namespace

std::optional<milliseconds>
read_retry_after(std::string_view text, std::chrono::system_clock::time_point now) {
  constexpr auto blanks = std::string_view{" \t"};
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  text = text.substr(0, text.find_last_not_of(blanks) + 1);
  auto seconds = 0.0;
  const auto [end, ec] =
      std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (ec == std::errc{} && end == text.data() + text.size() && !text.empty()) {
    if (!std::isfinite(seconds) || seconds < 0)
      return std::nullopt;
    const auto most = std::chrono::duration<double>(longest).count();
    return std::chrono::ceil<milliseconds>(
        std::chrono::duration<double>(std::min(seconds, most)));
  }
  const auto date = read_date(text);
  if (!date)
    return std::nullopt;
  // In seconds, of which a far year has few enough; the clock counts finer ones.
  const auto wait = *date - std::chrono::floor<std::chrono::seconds>(now);
  constexpr auto most = std::chrono::floor<std::chrono::seconds>(longest);
  return milliseconds{std::clamp(wait, std::chrono::seconds{0}, most)};
}

} // namespace jessica::engines
