#include "wire/rest_prefer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace jessica::wire {
namespace {

[[nodiscard]] std::string_view trimmed_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <class Value, std::size_t Count>
using words = std::array<std::pair<std::string_view, Value>, Count>;

constexpr auto wishes =
    words<result_wish, 3>{{{"minimal", result_wish::minimal},
                           {"headers-only", result_wish::headers_only},
                           {"representation", result_wish::representation}}};
constexpr auto counts = words<row_count, 3>{{{"exact", row_count::exact},
                                             {"planned", row_count::planned},
                                             {"estimated", row_count::estimated}}};
constexpr auto duplicates =
    words<on_duplicate, 2>{{{"merge-duplicates", on_duplicate::merge},
                            {"ignore-duplicates", on_duplicate::ignore}}};
constexpr auto missing = words<bool, 2>{{{"default", true}, {"null", false}}};
constexpr auto handling = words<bool, 2>{{{"strict", true}, {"lenient", false}}};
constexpr auto endings = words<bool, 2>{{{"rollback", true}, {"commit", false}}};

template <class Value, std::size_t Count>
[[nodiscard]] const Value* find(const words<Value, Count>& in, std::string_view word) {
  const auto* found = std::ranges::find(in, word, [](auto& row) { return row.first; });
  return found == in.end() ? nullptr : &found->second;
}

template <class Value, std::size_t Count>
[[nodiscard]] std::string_view word_of(const words<Value, Count>& in, Value value) {
  return std::ranges::find(in, value, [](auto& row) { return row.second; })->first;
}

/// Sets `to` unless it is set; false: the word is none.
template <class Target, class Value, std::size_t Count>
[[nodiscard]] bool set(Target& to, const Target& unset, const words<Value, Count>& in,
                       std::string_view word) {
  const auto* value = find(in, word);
  if (value != nullptr && to == unset)
    to = *value;
  return value != nullptr;
}

[[nodiscard]] bool set_max_affected(preferences& to, std::string_view word) {
  auto value = std::int64_t{0};
  const auto* end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, value);
  if (read.ptr != end || read.ec != std::errc{} || value < 0)
    return false;
  if (!to.max_affected)
    to.max_affected = value;
  return true;
}

/// False: not understood.
[[nodiscard]] bool add(preferences& to, std::string_view key, std::string_view word) {
  if (key == "return")
    return set(to.wish, {}, wishes, word);
  if (key == "count")
    return set(to.count, row_count::none, counts, word);
  if (key == "resolution")
    return set(to.duplicates, on_duplicate::fail, duplicates, word);
  if (key == "missing")
    return set(to.missing_default, {}, missing, word);
  if (key == "handling")
    return set(to.strict, {}, handling, word);
  if (key == "max-affected")
    return set_max_affected(to, word);
  if (key == "tx")
    return set(to.undo, {}, endings, word);
  if (key == "timezone" && !word.empty() && to.time_zone.empty())
    to.time_zone = word;
  return key == "timezone";
}

} // namespace

preferences read_prefer(std::string_view header) {
  auto made = preferences{};
  while (!header.empty()) {
    const auto comma = std::min(header.find(','), header.size());
    const auto item = trimmed_blanks(header.substr(0, comma));
    header.remove_prefix(std::min(comma + 1, header.size()));
    if (item.empty())
      continue;
    const auto equals = std::min(item.find('='), item.size());
    const auto word = item.substr(std::min(equals + 1, item.size()));
    if (!add(made, trimmed_blanks(item.substr(0, equals)), trimmed_blanks(word)))
      made.unknown.emplace_back(item);
  }
  return made;
}

std::string preference_applied(const preferences& asked, rest_action of) {
  auto text = std::string{};
  const auto put = [&](std::string_view key, std::string_view word) {
    text.append(text.empty() ? "" : ", ").append(key).append("=").append(word);
  };
  const auto writes = of == rest_action::insert || of == rest_action::update ||
                      of == rest_action::remove;
  if (of == rest_action::insert && asked.duplicates != on_duplicate::fail)
    put("resolution", word_of(duplicates, asked.duplicates));
  if ((of == rest_action::insert || of == rest_action::update) && asked.missing_default)
    put("missing", word_of(missing, *asked.missing_default));
  if (writes && asked.wish)
    put("return", word_of(wishes, *asked.wish));
  if (asked.count != row_count::none)
    put("count", word_of(counts, asked.count));
  if (asked.strict)
    put("handling", word_of(handling, *asked.strict));
  const auto limited = of != rest_action::read && of != rest_action::insert;
  if (limited && asked.strict.value_or(false) && asked.max_affected)
    put("max-affected", std::to_string(*asked.max_affected));
  if (!asked.time_zone.empty())
    put("timezone", asked.time_zone);
  if (asked.undo)
    put("tx", word_of(endings, *asked.undo));
  return text;
}

} // namespace jessica::wire
