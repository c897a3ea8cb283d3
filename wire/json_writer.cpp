#include "wire/json_writer.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto hex_digits = std::string_view{"0123456789abcdef"};
constexpr auto unicode_escape_bytes = std::uint8_t{6}; // \u00xx

/// Bytes a character takes inside a JSON string: 1, 2 (\n) or 6 (\u0001).
constexpr auto escaped_bytes = [] {
  auto sizes = std::array<std::uint8_t, 256>{};
  sizes.fill(1);
  for (auto c = 0U; c < 0x20U; ++c)
    sizes[c] = unicode_escape_bytes;
  for (const auto c : {'"', '\\', '\b', '\f', '\n', '\r', '\t'})
    sizes[static_cast<unsigned char>(c)] = 2;
  return sizes;
}();

[[nodiscard]] char short_escape(char c) noexcept {
  switch (c) {
  case '\b':
    return 'b';
  case '\f':
    return 'f';
  case '\n':
    return 'n';
  case '\r':
    return 'r';
  case '\t':
    return 't';
  default:
    return c; // quote and backslash
  }
}

void append_escape(std::string& to, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (escaped_bytes[byte] == 2) {
    to += '\\';
    to += short_escape(c);
    return;
  }
  to += "\\u00";
  to += hex_digits[byte >> 4U];
  to += hex_digits[byte & 0x0fU];
}

template <class Integer> void append_number(std::string& to, Integer value) {
  // One more for a sign, one because digits10 is rounded down.
  auto digits = std::array<char, std::numeric_limits<Integer>::digits10 + 2>{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  to.append(digits.data(), end);
}

} // namespace

std::size_t quoted_size(std::string_view text) noexcept {
  auto size = std::size_t{2};
  for (const auto c : text)
    size += escaped_bytes[static_cast<unsigned char>(c)];
  return size;
}

void append_quoted(std::string& to, std::string_view text) {
  to += '"';
  auto plain = std::size_t{0}; // start of the run not copied yet
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    if (escaped_bytes[static_cast<unsigned char>(text[i])] == 1)
      continue;
    to.append(text, plain, i - plain);
    append_escape(to, text[i]);
    plain = i + 1;
  }
  to.append(text, plain);
  to += '"';
}

object_writer::object_writer(std::size_t expected_bytes) {
  out_.reserve(expected_bytes);
  out_ += '{';
}

void object_writer::key(std::string_view name) {
  if (out_.size() > 1)
    out_ += ',';
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

object_writer& object_writer::text(std::string_view name, std::string_view value) {
  key(name);
  append_quoted(out_, value);
  return *this;
}

object_writer& object_writer::number(std::string_view name, std::int64_t value) {
  key(name);
  append_number(out_, value);
  return *this;
}

object_writer& object_writer::count(std::string_view name, std::uint64_t value) {
  key(name);
  append_number(out_, value);
  return *this;
}

object_writer& object_writer::flag(std::string_view name, bool value) {
  return json(name, value ? "true" : "false");
}

object_writer& object_writer::json(std::string_view name, std::string_view value) {
  key(name);
  out_ += value;
  return *this;
}

std::string object_writer::done() {
  out_ += '}';
  return std::move(out_);
}

} // namespace jessica::wire
