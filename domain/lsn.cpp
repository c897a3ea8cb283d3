#include "domain/lsn.hpp"

#include <charconv>
#include <cstddef>
#include <format>

namespace jessica {
namespace {

std::optional<std::uint32_t> half(std::string_view text) noexcept {
  constexpr auto digits = std::size_t{8};
  constexpr auto hexadecimal = 16;
  if (text.size() > digits) {
    return std::nullopt;
  }
  auto value = std::uint32_t{0};
  const auto* const end = text.data() + text.size();
  const auto [stopped, broken] = std::from_chars(text.data(), end, value, hexadecimal);
  return broken == std::errc{} && stopped == end ? std::optional{value} : std::nullopt;
}

constexpr auto half_bits = 32;

} // namespace

std::optional<lsn> lsn::parse(std::string_view text) noexcept {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto high = half(text.substr(0, slash));
  const auto low = half(text.substr(slash + 1));
  if (!high || !low) {
    return std::nullopt;
  }
  return lsn{std::uint64_t{*high} << half_bits | *low};
}

std::string lsn::str() const {
  return std::format("{:X}/{:X}", value >> half_bits,
                     static_cast<std::uint32_t>(value));
}

} // namespace jessica
