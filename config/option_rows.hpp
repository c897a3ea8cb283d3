// How a row of the table of options is written: one line a member, which names the
// section's struct once and takes the way the value is read and shown from its type.
#pragma once

#include "config/options.hpp"
#include "config/settings.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace jessica::config::rows {

inline constexpr auto max_count = std::uint64_t{1'000'000};
inline constexpr auto kib = std::uint64_t{1} << 10U;
inline constexpr auto mib = std::uint64_t{1} << 20U;
inline constexpr auto second = std::uint64_t{1000};
inline constexpr auto hour = 3600 * second;
inline constexpr auto year = 8766 * hour;

template <auto Room, auto Member> void assign(settings& in, const option_value& value) {
  auto& member = in.*Room.*Member;
  using type = std::remove_reference_t<decltype(member)>;
  if constexpr (std::same_as<type, bool>)
    member = std::get<bool>(value);
  else if constexpr (std::integral<type>)
    member = static_cast<type>(std::get<std::uint64_t>(value));
  else if constexpr (std::same_as<type, seconds> || std::same_as<type, milliseconds>)
    member = std::chrono::duration_cast<type>(
        milliseconds{static_cast<std::int64_t>(std::get<std::uint64_t>(value))});
  else
    member = std::get<std::string>(value);
}

template <auto Room, auto Member> option_value read(const settings& in) {
  const auto& member = in.*Room.*Member;
  using type = std::remove_cvref_t<decltype(member)>;
  if constexpr (std::integral<type> && !std::same_as<type, bool>)
    return static_cast<std::uint64_t>(member);
  else if constexpr (std::same_as<type, seconds> || std::same_as<type, milliseconds>)
    return static_cast<std::uint64_t>(milliseconds{member}.count());
  else if constexpr (std::same_as<type, std::filesystem::path>)
    return member.string();
  else
    return member;
}

template <auto Room, auto Member>
constexpr option bind(value_form form, std::string_view name,
                      std::string_view meaning) {
  auto made = option{};
  made.name = name;
  made.form = form;
  made.meaning = meaning;
  made.assign = &assign<Room, Member>;
  made.read = &read<Room, Member>;
  return made;
}

constexpr option between(option of, std::uint64_t least, std::uint64_t most) {
  of.least = least;
  of.most = most;
  return of;
}

/// The rows of one section: the section's struct is named once.
template <auto Room> struct section {
  template <auto Member>
  static constexpr option text(std::string_view name, std::string_view meaning) {
    return bind<Room, Member>(value_form::text, name, meaning);
  }
  template <auto Member>
  static constexpr option path(std::string_view name, std::string_view meaning) {
    return bind<Room, Member>(value_form::path, name, meaning);
  }
  template <auto Member>
  static constexpr option toggle(std::string_view name, std::string_view meaning) {
    return bind<Room, Member>(value_form::toggle, name, meaning);
  }
  template <auto Member>
  static constexpr option count(std::string_view name, std::uint64_t least,
                                std::uint64_t most, std::string_view meaning) {
    return between(bind<Room, Member>(value_form::count, name, meaning), least, most);
  }
  template <auto Member>
  static constexpr option bytes(std::string_view name, std::uint64_t least,
                                std::uint64_t most, std::string_view meaning) {
    return between(bind<Room, Member>(value_form::bytes, name, meaning), least, most);
  }
  template <auto Member>
  static constexpr option time(std::string_view name, std::uint64_t least,
                               std::uint64_t most, std::string_view meaning) {
    auto made =
        between(bind<Room, Member>(value_form::duration, name, meaning), least, most);
    made.whole_seconds = std::same_as<
        std::remove_cvref_t<decltype(std::declval<settings>().*Room.*Member)>, seconds>;
    return made;
  }
};

constexpr option one_of(option of, std::span<const std::string_view> only) {
  of.only = only;
  return of;
}

constexpr option secret(option of, std::string_view alias) {
  of.secret = true;
  of.alias = alias;
  return of;
}

constexpr option hidden(option of) {
  of.hidden = true;
  return of;
}

} // namespace jessica::config::rows
