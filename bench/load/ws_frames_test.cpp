#include "bench/load/ws_frames.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <initializer_list>

using namespace jessica;
using namespace jessica::bench;
using namespace std::string_view_literals;
using namespace std::string_literals;

namespace {

/// The mask whose bytes are these, whatever the machine's byte order.
std::uint32_t mask_of(std::string_view bytes) {
  auto mask = std::uint32_t{};
  std::memcpy(&mask, bytes.data(), sizeof mask);
  return mask;
}

std::string frame_header(std::size_t payload_bytes) {
  auto frame = std::string{};
  append_client_frame(frame, opcode::binary, std::string(payload_bytes, 'x'), 0);
  frame.resize(frame.size() - payload_bytes - 4);
  return frame;
}

} // namespace

TEST_SUITE("bench.ws_frames") {
  TEST_CASE("a client's text is masked as the RFC's example shows") {
    auto frame = std::string{};
    append_client_frame(frame, opcode::text, "Hello", mask_of("\x37\xfa\x21\x3d"));
    CHECK(frame == "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"sv);
  }

  TEST_CASE("the size takes one, three or nine bytes") {
    CHECK(frame_header(125) == "\x82\xfd"sv);
    CHECK(frame_header(126) == "\x82\xfe\x00\x7e"sv);
    CHECK(frame_header(65'535) == "\x82\xfe\xff\xff"sv);
    CHECK(frame_header(65'536) == "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"sv);
  }

  TEST_CASE("a whole frame is found at the beginning of what was read") {
    const auto got = first_frame("\x81\x05Hello\x82"sv);
    REQUIRE(got.has_value());
    REQUIRE(got->has_value());
    CHECK((*got)->kind == opcode::text);
    CHECK((*got)->payload == "Hello");
    CHECK((*got)->size == 7);
  }

  TEST_CASE("a long frame is read by its extended size") {
    const auto payload = std::string(300, 'y');
    const auto got = first_frame("\x82\x7e\x01\x2c"s + payload);
    REQUIRE((got.has_value() && got->has_value()));
    CHECK((*got)->size == 304);
    CHECK((*got)->payload.size() == 300);
  }

  TEST_CASE("every cut of a frame waits for more") {
    const auto whole = "\x82\x7e\x00\x80"s + std::string(128, 'z');
    for (auto size = std::size_t{0}; size < whole.size(); ++size) {
      const auto got = first_frame(std::string_view{whole}.substr(0, size));
      REQUIRE(got.has_value());
      CHECK_FALSE(got->has_value());
    }
  }

  TEST_CASE("masked, fragmented, compressed, unknown and huge frames are refused") {
    for (const auto bad : {"\x81\x85\x01\x02\x03\x04Hello"sv, "\x01\x05Hello"sv,
                           "\x80\x05Hello"sv, "\xc1\x05Hello"sv, "\x83\x05Hello"sv,
                           "\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00"sv})
      CHECK_FALSE(first_frame(bad).has_value());
  }
}
