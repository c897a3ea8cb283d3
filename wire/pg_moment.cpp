#include "wire/pg_moment.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <limits>

namespace jessica::wire {
namespace {

using std::chrono::microseconds;

constexpr auto last_year = 290'000; // 64 bits of microseconds end a little later
constexpr auto last_zone_hour = 15;
constexpr auto cycle_years = 400; // after which the calendar repeats
constexpr auto cycle_days = std::chrono::days{146'097};

[[nodiscard]] bool same_word(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
}

/// Days since 1970; std::chrono's own years end at 32767.
[[nodiscard]] std::optional<std::chrono::sys_days> day_of(int year, int month,
                                                          int day) {
  const auto cycles = (year - 2000) / cycle_years;
  const auto date =
      std::chrono::year_month_day{std::chrono::year{year - cycles * cycle_years},
                                  std::chrono::month{static_cast<unsigned>(month)},
                                  std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::sys_days{date} + cycles * cycle_days;
}

class moment_reader {
public:
  explicit moment_reader(std::string_view text) : rest_{text} {}

  [[nodiscard]] std::optional<microseconds> read(moment_zone zone) {
    const auto before_christ =
        rest_.size() > 3 && same_word(rest_.substr(rest_.size() - 3), " bc");
    if (before_christ)
      rest_.remove_suffix(3);
    const auto day = read_day(before_christ);
    if (!day)
      return std::nullopt;
    const auto start = microseconds{day->time_since_epoch()};
    if (rest_.empty())
      return start;
    const auto time = read_time();
    const auto offset = time ? read_offset() : std::nullopt;
    if (!offset || !rest_.empty())
      return std::nullopt;
    return start + *time - (zone == moment_zone::heeded ? *offset : microseconds{0});
  }

private:
  bool skip(char c) {
    if (!rest_.starts_with(c))
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  [[nodiscard]] std::optional<int> number(std::size_t least, std::size_t most) {
    const auto size = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (size < least || size > most)
      return std::nullopt;
    auto value = 0;
    for (const auto digit : rest_.substr(0, size))
      value = value * 10 + (digit - '0');
    rest_.remove_prefix(size);
    return value;
  }

  [[nodiscard]] std::optional<std::chrono::sys_days> read_day(bool before_christ) {
    const auto year = number(4, 6);
    const auto month = year && skip('-') ? number(1, 2) : std::nullopt;
    const auto day = month && skip('-') ? number(1, 2) : std::nullopt;
    if (!day || *year == 0 || *year > last_year)
      return std::nullopt;
    return day_of(before_christ ? 1 - *year : *year, *month, *day);
  }

  [[nodiscard]] std::optional<microseconds> read_time() {
    if (!skip('T') && !skip('t') && !skip(' '))
      return std::nullopt;
    const auto hours = number(1, 2);
    const auto minutes = hours && skip(':') ? number(2, 2) : std::nullopt;
    if (!minutes)
      return std::nullopt;
    auto seconds = std::optional{0};
    auto fraction = std::optional{microseconds{0}};
    if (skip(':')) {
      seconds = number(2, 2);
      if (skip('.'))
        fraction = read_fraction();
    }
    if (!seconds || !fraction || *minutes > 59 || *seconds > 60)
      return std::nullopt;
    const auto time = std::chrono::hours{*hours} + std::chrono::minutes{*minutes} +
                      std::chrono::seconds{*seconds} + *fraction;
    return time > std::chrono::hours{24} ? std::nullopt : std::optional{time};
  }

  /// Digits past the sixth round.
  [[nodiscard]] std::optional<microseconds> read_fraction() {
    const auto size = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    auto value = 0;
    for (auto i = std::size_t{0}; i < 6; ++i)
      value = value * 10 + (i < size ? rest_[i] - '0' : 0);
    if (size > 6 && rest_[6] >= '5')
      ++value;
    rest_.remove_prefix(size);
    return microseconds{value};
  }

  /// "", "Z", " UTC", "+05", "+0530", "-05:30", "+05:30:15".
  [[nodiscard]] std::optional<microseconds> read_offset() {
    skip(' ');
    if (rest_.empty() || same_word(rest_, "z") || same_word(rest_, "utc")) {
      rest_ = {};
      return microseconds{0};
    }
    const auto west = skip('-');
    if (!west && !skip('+'))
      return std::nullopt;
    const auto compact = rest_.size() == 4 && !rest_.contains(':');
    auto hours = number(1, compact ? 4 : 2);
    auto minutes = std::optional{0};
    auto seconds = std::optional{0};
    if (hours && compact) {
      minutes = *hours % 100;
      hours = *hours / 100;
    } else if (skip(':')) {
      minutes = number(2, 2);
      if (skip(':'))
        seconds = number(2, 2);
    }
    if (!hours || !minutes || !seconds || *hours > last_zone_hour || *minutes > 59 ||
        *seconds > 59)
      return std::nullopt;
    const auto offset =
        microseconds{std::chrono::hours{*hours} + std::chrono::minutes{*minutes} +
                     std::chrono::seconds{*seconds}};
    return west ? -offset : offset;
  }

  std::string_view rest_;
};

} // namespace

std::optional<std::int64_t> read_moment(std::string_view text, moment_zone zone) {
  if (same_word(text, "infinity") || same_word(text, "+infinity"))
    return std::numeric_limits<std::int64_t>::max();
  if (same_word(text, "-infinity"))
    return std::numeric_limits<std::int64_t>::min();
  return moment_reader{text}.read(zone).transform(&microseconds::count);
}

} // namespace jessica::wire
