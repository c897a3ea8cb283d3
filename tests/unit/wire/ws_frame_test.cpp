#include "wire/ws_frame.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.ws_frame");

namespace jessica::wire {
namespace {

using namespace std::string_literals;

[[nodiscard]] std::string header_of(ws_opcode opcode, std::size_t size) {
  auto header = std::string{};
  append_ws_header(header, opcode, size);
  return header;
}

TEST_CASE("the header says final, the opcode and that nothing is masked") {
  CHECK(header_of(ws_opcode::text, 0) == "\x81\x00"s);
  CHECK(header_of(ws_opcode::binary, 5) == "\x82\x05"s);
}

TEST_CASE("the length takes 7, 16 or 64 bits, each from its first size on") {
  CHECK(header_of(ws_opcode::text, 125) == "\x81\x7d"s);
  CHECK(header_of(ws_opcode::text, 126) == "\x81\x7e\x00\x7e"s);
  CHECK(header_of(ws_opcode::text, 0x1234) == "\x81\x7e\x12\x34"s);
  CHECK(header_of(ws_opcode::text, 0xffff) == "\x81\x7e\xff\xff"s);
  CHECK(header_of(ws_opcode::text, 0x10000) ==
        "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"s);
  CHECK(header_of(ws_opcode::text, 0x0123456789abcdef) ==
        "\x81\x7f\x01\x23\x45\x67\x89\xab\xcd\xef"s);
}

TEST_CASE("the announced size of a header is its size") {
  for (const auto size : {0UL, 1UL, 125UL, 126UL, 127UL, 0xffffUL, 0x10000UL, ~0UL}) {
    CAPTURE(size);
    CHECK(header_of(ws_opcode::text, size).size() == ws_header_size(size));
  }
}

TEST_CASE("a frame is its header and its payload, byte for byte") {
  CHECK(*make_frame(ws_opcode::text, "héllo") == "\x81\x06h\xc3\xa9llo"s);
  CHECK(*make_frame(ws_opcode::binary, "\x00\xff"s) == "\x82\x02\x00\xff"s);
  const auto long_text = std::string(70'000, 'x');
  CHECK(*make_frame(ws_opcode::text, long_text) ==
        "\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70"s + long_text);
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
