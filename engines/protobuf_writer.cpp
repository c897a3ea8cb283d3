#include "engines/protobuf_writer.hpp"

#include <bit>

namespace jessica::engines {
namespace {

constexpr auto as_varint = 0U;
constexpr auto as_bytes = 2U;
constexpr auto as_four_bytes = 5U;
constexpr auto byte_bits = 8U;

} // namespace

void protobuf_writer::varint(std::uint64_t value) {
  constexpr auto payload_bits = 7U;
  constexpr auto goes_on = 0x80U;
  while (value >= goes_on) {
    written_ += static_cast<char>((value & (goes_on - 1)) | goes_on);
    value >>= payload_bits;
  }
  written_ += static_cast<char>(value);
}

void protobuf_writer::tag(std::uint32_t field, std::uint32_t wire_type) {
  constexpr auto type_bits = 3U;
  varint((std::uint64_t{field} << type_bits) | wire_type);
}

void protobuf_writer::number(std::uint32_t field, std::int64_t value) {
  tag(field, as_varint);
  varint(static_cast<std::uint64_t>(value));
}

void protobuf_writer::real(std::uint32_t field, float value) {
  tag(field, as_four_bytes);
  auto bits = std::bit_cast<std::uint32_t>(value);
  for (auto i = std::size_t{0}; i < sizeof bits; ++i, bits >>= byte_bits)
    written_ += static_cast<char>(bits & 0xffU);
}

void protobuf_writer::bytes(std::uint32_t field, std::string_view value) {
  tag(field, as_bytes);
  varint(value.size());
  written_ += value;
}

} // namespace jessica::engines
