#include "wire/ws_reader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <format>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace jessica;
using namespace std::string_literals;
using wire::ws_input;
using kind = wire::ws_input::kind;

namespace {

constexpr auto fin = 0x80;
constexpr auto limit = std::size_t{200'000};

std::string big_endian(std::uint64_t value, unsigned bytes) {
  auto out = std::string{};
  for (auto left = bytes; left > 0; --left)
    out += static_cast<char>(value >> (8 * (left - 1)) & 0xff);
  return out;
}

/// A client's frame.
std::string sent(int first, std::string_view payload = {}) {
  constexpr auto key = std::string_view{"\x37\xfa\x21\x3d"};
  const auto size = payload.size();
  auto out = std::string{static_cast<char>(first)};
  if (size <= 125)
    out += static_cast<char>(0x80 | size);
  else if (size <= 0xffff)
    out += '\xfe' + big_endian(size, 2);
  else
    out += '\xff' + big_endian(size, 8);
  out += key;
  for (auto i = std::size_t{0}; i < size; ++i)
    out += static_cast<char>(payload[i] ^ key[i % key.size()]);
  return out;
}

std::string shown(const ws_input& what) {
  return std::format("{} {} {}", static_cast<int>(what.what), what.code, what.bytes);
}

/// What is read of `bytes` when the socket gives at most `piece` at a time.
std::vector<std::string> read(std::string_view bytes, auto piece) {
  auto reader = wire::ws_reader{limit};
  auto out = std::vector<std::string>{};
  while (true) {
    auto what = reader.next();
    if (what.what != kind::nothing) {
      out.push_back(shown(what));
      if (what.what == kind::close || what.what == kind::broken)
        return out;
      continue;
    }
    if (bytes.empty())
      return out;
    const auto room = reader.room();
    REQUIRE(!room.empty());
    const auto size = std::min({bytes.size(), room.size(), std::size_t{piece()}});
    std::ranges::copy(bytes.substr(0, size), room.begin());
    reader.filled(size);
    bytes.remove_prefix(size);
  }
}

std::vector<std::string> read(std::string_view bytes) {
  return read(bytes, [] { return limit; });
}

std::string only(std::string_view bytes) {
  const auto all = read(bytes);
  REQUIRE(all.size() == 1);
  return all.front();
}

std::string is(kind what, std::uint16_t code, std::string_view bytes = {}) {
  return shown({what, code, std::string{bytes}});
}

} // namespace

TEST_SUITE("wire.ws_reader") {
  TEST_CASE("messages of every size come unmasked and whole") {
    for (const auto size : {0UZ,   1UZ,    3UZ,    4UZ,    7UZ,      8UZ,      9UZ,
                            125UZ, 126UZ,  159UZ,  160UZ,  161UZ,    247UZ,    248UZ,
                            249UZ, 1000UZ, 1024UZ, 4096UZ, 65'535UZ, 65'536UZ, limit}) {
      auto payload = std::string(size, '\0');
      for (auto i = std::size_t{0}; i < size; ++i)
        payload[i] = static_cast<char>('a' + i % 26);
      CAPTURE(size);
      CHECK(only(sent(fin | 1, payload)) == is(kind::text, 0, payload));
      CHECK(only(sent(fin | 2, payload)) == is(kind::binary, 0, payload));
    }
  }

  TEST_CASE("fragments are joined, control frames between them come first") {
    const auto said = sent(1, "one ") + sent(fin | 9, "ping") + sent(0, "two ") +
                      sent(fin | 10) + sent(fin | 0, "three") + sent(fin | 2, "\xff");
    CHECK(read(said) == std::vector{is(kind::ping, 0, "ping"), is(kind::pong, 0),
                                    is(kind::text, 0, "one two three"),
                                    is(kind::binary, 0, "\xff")});
  }

  TEST_CASE("it does not matter where the bytes were cut") {
    auto said = std::string{};
    for (const auto size : {0UZ, 5UZ, 130UZ, 159UZ, 170UZ, 3000UZ, 70'000UZ})
      said += sent(1, std::string(size, 'x')) + sent(fin | 9, "still there?") +
              sent(0, "\xf0\x9f\x8e\xb7") + sent(fin | 0, std::string(size, 'y')) +
              sent(fin | 2, std::string(size, '\xff'));
    said += sent(fin | 8, "\x03\xe9"s + "bye");
    const auto wanted = read(said);
    REQUIRE(wanted.size() == 7 * 3 + 1);
    CHECK(wanted.back() == is(kind::close, 1001));
    CHECK(read(said, [] { return std::size_t{1}; }) == wanted);
    auto chance = std::mt19937{1};
    auto size = std::uniform_int_distribution<std::size_t>{1, 400};
    for (auto i = 0; i < 50; ++i)
      CHECK(read(said, [&] { return size(chance); }) == wanted);
  }

  TEST_CASE("a header against the protocol fails at its second byte") {
    constexpr auto masked = 0x80;
    const auto broken = is(kind::broken, wire::ws_code::protocol_error);
    const auto begins = [](int first, int second) {
      return std::string{static_cast<char>(first), static_cast<char>(second)};
    };
    for (const auto opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
      CHECK(only(begins(fin | opcode, masked)) == broken);
    for (const auto reserved : {0x10, 0x20, 0x40, 0x70})
      CHECK(only(begins(fin | reserved | 1, masked)) == broken);
    CHECK(only(begins(fin | 1, 5)) == broken);            // not masked
    CHECK(only(begins(9, masked)) == broken);             // half a ping
    CHECK(only(begins(fin | 9, masked | 126)) == broken); // a ping that is too long
    CHECK(only(begins(fin | 0, masked)) == broken);       // continues nothing
    CHECK(read(sent(1, "a") + begins(fin | 1, masked)).back() == broken);
    CHECK(only("\x82\xfe"s + big_endian(125, 2) + "mask") == broken);
    CHECK(only("\x82\xff"s + big_endian(65'535, 8) + "mask") == broken);
  }

  TEST_CASE("a message over the limit fails before it comes") {
    const auto too_big = is(kind::broken, wire::ws_code::too_big);
    CHECK(only("\x82\xff"s + big_endian(limit + 1, 8) + "mask") == too_big);
    CHECK(only("\x82\xff"s + std::string(8, '\xff') + "mask") == too_big);
    const auto most = sent(2, std::string(limit, 'x'));
    CHECK(only(most + sent(fin | 0)) == is(kind::binary, 0, std::string(limit, 'x')));
    CHECK(only(most + sent(fin | 0, "y")) == too_big);
  }

  TEST_CASE("announcing much takes no more memory than twice what came") {
    auto reader = wire::ws_reader{std::size_t{1} << 40U};
    const auto head = "\x82\xff"s + big_endian(std::uint64_t{1} << 39U, 8) + "mask";
    std::ranges::copy(head, reader.room().begin());
    reader.filled(head.size());
    CHECK(reader.next().what == kind::nothing);
    for (auto came = std::size_t{0}; came < 300'000;) {
      const auto room = reader.room().size();
      CHECK(room <= std::max(came, std::size_t{1024}));
      reader.filled(room);
      came += room;
      CHECK(reader.next().what == kind::nothing);
    }
  }

  TEST_CASE("text fails at its first byte that no UTF-8 has there") {
    const auto broken = is(kind::broken, wire::ws_code::not_utf8);
    for (const auto* bad : {"\x80", "\xc0", "\xc2\x41", "\xe0\x9f", "\xed\xa0",
                            "\xf0\x8f", "\xf4\x90", "\xf5", "\xff"}) {
      const auto frame = sent(1, "good so far "s + bad + "and much that never comes");
      const auto until_bad = 6 + 12 + std::string_view{bad}.size();
      CHECK(only(frame.substr(0, until_bad)) == broken);
      CHECK(read(frame.substr(0, until_bad - 1)).empty());
    }
    CHECK(only(sent(fin | 1, "cut \xf0\x9f")) == broken);
    CHECK(only(sent(1, "cut \xf0\x9f") + sent(fin | 0)) == broken);
    CHECK(only(sent(1, "\xf0\x9f") + sent(fin | 0, "\x8e\xb7")) ==
          is(kind::text, 0, "\xf0\x9f\x8e\xb7"));
  }

  TEST_CASE("a close is read with its code, or is none") {
    CHECK(only(sent(fin | 8)) == is(kind::close, 1000));
    CHECK(only(sent(fin | 8, "\x0f\xa0why")) == is(kind::close, 4000));
    const auto broken = is(kind::broken, wire::ws_code::protocol_error);
    CHECK(only(sent(fin | 8, "\x03")) == broken);
    CHECK(only(sent(fin | 8, "\x03\xed")) == broken); // 1005 is never sent
    CHECK(only(sent(fin | 8, "\x03\xe8\xff")) == broken);
  }
}
