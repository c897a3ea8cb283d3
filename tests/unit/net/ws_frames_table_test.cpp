// What RFC 6455 says of frames: lengths, masks, reserved bits and opcodes, control
// frames, fragments.
#include "net/ws_session.hpp"
#include "ws_frames_table.hpp"

namespace jessica::test {
namespace {

constexpr auto protocol_error = 1002U;
constexpr auto too_big = 1009U;

using table = std::vector<frame_case>;

std::string of_size(std::size_t bytes) {
  return std::string(bytes, 'x');
}

table lengths() {
  auto rows = table{};
  for (const auto size : {0UZ, 1UZ, 120UZ, 121UZ, 122UZ, 65'530UZ, 65'531UZ, 69'995UZ})
    rows.push_back({std::format("{} bytes of payload", size + 5),
                    {echo(of_size(size))},
                    echoed(of_size(size))});
  for (const auto first : {fin | text, fin | binary})
    rows.push_back(
        {std::format("no payload, first byte {:x}", first), {sent(first)}, {}});
  for (const auto size : {70'001UZ, 70'002UZ, 1'000'000UZ})
    rows.push_back({std::format("{} bytes are over the limit", size),
                    {frame_head(fin | text, size) + std::string{mask_key}},
                    {},
                    too_big});
  for (const auto size : {0UZ, 1UZ, 125UZ})
    rows.push_back({std::format("{} bytes told in 16 bits", size),
                    {sent(fin | text, of_size(size), width::bits16)},
                    {},
                    protocol_error});
  for (const auto size : {0UZ, 125UZ, 126UZ, 65'535UZ})
    rows.push_back({std::format("{} bytes told in 64 bits", size),
                    {sent(fin | text, of_size(size), width::bits64)},
                    {},
                    protocol_error});
  // The top bit must be 0. Such a length is over any limit, too, and that comes first.
  for (const auto size : {1ULL << 63, (1ULL << 63) + 5, ~0ULL, 1ULL << 32, ~0ULL >> 1})
    rows.push_back({std::format("an announced length of {:x}", size),
                    {frame_head(fin | binary, size) + std::string{mask_key}},
                    {},
                    too_big});
  rows.push_back({"a continuation whose length overflows the sum",
                  {sent(binary, "12345"),
                   frame_head(fin | more, ~0ULL - 1) + std::string{mask_key}},
                  {},
                  too_big});
  return rows;
}

table masks() {
  auto rows = table{};
  for (const auto opcode : {text, binary, close, ping, pong})
    for (const auto& payload : {"", "hi"})
      rows.push_back(
          {std::format("opcode {:x} unmasked, \"{}\"", opcode, payload),
           {frame_head(fin | opcode, std::string_view{payload}.size(), false) +
            payload},
           {},
           protocol_error});
  rows.push_back({"a continuation unmasked",
                  {sent(text, "a"), frame_head(fin | more, 1, false) + "b"},
                  {},
                  protocol_error});
  rows.push_back({"a mask of zeros",
                  {frame_head(fin | text, 6) + std::string(4, '\0') + "echo a"},
                  echoed("a")});
  return rows;
}

table cuts() {
  auto rows = table{};
  const auto each_cut = [&](std::string_view name, const std::string& bytes,
                            const std::string& answer, std::size_t last) {
    for (auto at = 1UZ; at <= last; ++at)
      rows.push_back(
          {std::format("{}, cut after byte {}", name, at), cut(bytes, at), answer});
  };
  const auto small = echo("abc");
  each_cut("a small frame", small, echoed("abc"), small.size() - 1);
  const auto medium = echo(of_size(200));
  each_cut("a 16 bit length", medium, echoed(of_size(200)), 9);
  const auto large = echo(of_size(66'000));
  each_cut("a 64 bit length", large, echoed(of_size(66'000)), 15);
  const auto asked = sent(fin | ping, "who");
  each_cut("a ping", asked, answered(pong, "who"), asked.size() - 1);
  rows.push_back({"a frame byte by byte", byte_by_byte(small), echoed("abc")});
  rows.push_back({"three frames in one piece",
                  {echo("1") + echo("2") + echo("3")},
                  echoed("1") + echoed("2") + echoed("3")});
  rows.push_back({"one and a half frame, then the rest",
                  cut(echo("one") + echo("two"), echo("one").size() + 5),
                  echoed("one") + echoed("two")});
  rows.push_back({"all sorts of frames byte by byte",
                  byte_by_byte(sent(text, "echo a") + asked + sent(more) +
                               sent(fin | pong, "b") + sent(fin | more, "c")),
                  answered(pong, "who") + echoed("ac")});
  return rows;
}

table control_frames() {
  auto rows = table{};
  for (const auto size : {0UZ, 1UZ, 124UZ, 125UZ})
    rows.push_back({std::format("a ping of {} bytes", size),
                    {sent(fin | ping, of_size(size))},
                    answered(pong, of_size(size))});
  rows.push_back({"a ping's bytes are not text",
                  {sent(fin | ping, "\xff\xfe\x80")},
                  answered(pong, "\xff\xfe\x80")});
  for (const auto opcode : {close, ping, pong}) {
    for (const auto size : {126UZ, 127UZ, 65'536UZ})
      rows.push_back({std::format("opcode {:x} with {} bytes", opcode, size),
                      {sent(fin | opcode, of_size(size))},
                      {},
                      protocol_error});
    for (const auto as : {width::bits16, width::bits64})
      rows.push_back({std::format("opcode {:x} with a long length of 2", opcode),
                      {sent(fin | opcode, "\x03\xe8", as)},
                      {},
                      protocol_error});
    rows.push_back({std::format("opcode {:x} in fragments", opcode),
                    {sent(opcode, "\x03\xe8"), sent(fin | more, "b")},
                    {},
                    protocol_error});
    rows.push_back({std::format("opcode {:x} in fragments within a message", opcode),
                    {sent(text, "a") + sent(opcode)},
                    {},
                    protocol_error});
  }
  for (const auto size : {0UZ, 4UZ, 125UZ})
    rows.push_back({std::format("a pong of {} bytes that nobody asked for", size),
                    {sent(fin | pong, of_size(size))},
                    {}});
  rows.push_back({"a pong, then a ping",
                  {sent(fin | pong, "a") + sent(fin | ping, "b")},
                  answered(pong, "b")});
  auto pings = std::string{};
  auto pongs = std::string{};
  for (auto i = 0; i < 300; ++i) {
    pings += sent(fin | ping, std::to_string(i));
    pongs += answered(pong, std::to_string(i));
  }
  rows.push_back({"three hundred pings at once", {pings}, pongs});
  rows.push_back({"ten pings byte by byte",
                  byte_by_byte(pings.substr(0, 10 * sent(fin | ping, "0").size())),
                  pongs.substr(0, 10 * answered(pong, "0").size())});
  rows.push_back(
      {"pings between messages",
       {echo("a") + sent(fin | ping, "1") + echo("b") + sent(fin | ping, "2")},
       echoed("a") + answered(pong, "1") + echoed("b") + answered(pong, "2")});
  return rows;
}

table reserved_bits() {
  auto rows = table{};
  for (auto bits = rsv3; bits <= all_rsv; bits += rsv3) {
    for (const auto opcode : {text, binary, close, ping, pong})
      rows.push_back({std::format("bits {:x} on opcode {:x}", bits, opcode),
                      {sent(fin | bits | opcode, "\x03\xe8")},
                      {},
                      protocol_error});
    rows.push_back({std::format("bits {:x} on a continuation", bits),
                    {sent(text, "a"), sent(fin | bits | more, "b")},
                    {},
                    protocol_error});
  }
  rows.push_back({"what came before is answered",
                  {echo("a") + sent(fin | 0x40 | text, "b") + echo("c")},
                  echoed("a"),
                  protocol_error});
  return rows;
}

table reserved_opcodes() {
  auto rows = table{};
  for (const auto opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    for (const auto& payload : {"", "what is this"})
      rows.push_back({std::format("opcode {:x}, \"{}\"", opcode, payload),
                      {sent(fin | opcode, payload)},
                      {},
                      protocol_error});
  for (const auto opcode : {3, 11}) {
    rows.push_back({std::format("opcode {:x} in a message", opcode),
                    {sent(text, "a") + sent(fin | opcode, "b") + sent(fin | more, "c")},
                    {},
                    protocol_error});
    rows.push_back({std::format("opcode {:x} without FIN", opcode),
                    {sent(opcode, "b")},
                    {},
                    protocol_error});
    rows.push_back({std::format("opcode {:x} after a message and a ping", opcode),
                    {echo("a") + sent(fin | ping, "p") + sent(fin | opcode, "b")},
                    echoed("a") + answered(pong, "p"),
                    protocol_error});
  }
  return rows;
}

table fragments() {
  auto rows = table{};
  const auto whole = std::string{"echo abcdefghij"};
  for (const auto first : {text, binary})
    for (const auto step : {8UZ, 6UZ, 3UZ, 1UZ}) {
      auto pieces = std::vector<std::string>{};
      for (auto at = 0UZ; at < whole.size(); at += step)
        pieces.push_back(
            sent((at == 0 ? first : more) | (at + step < whole.size() ? 0 : fin),
                 whole.substr(at, step)));
      const auto answer = echoed("abcdefghij");
      auto together = std::string{};
      for (const auto& piece : pieces)
        together += piece;
      const auto name = std::format("opcode {} in {} fragments", first, pieces.size());
      rows.push_back({name, std::move(pieces), answer});
      rows.push_back({name + " sent at once", {std::move(together)}, answer});
    }
  const auto started = sent(text, "echo a");
  const auto asked = sent(fin | ping, "p");
  const auto pinged = answered(pong, "p");
  const auto going = table{
      {"an empty first fragment",
       {sent(text), sent(fin | more, "echo a")},
       echoed("a")},
      {"an empty last fragment", {started, sent(fin | more)}, echoed("a")},
      {"empty fragments between",
       {started, sent(more), sent(more), sent(fin | more, "b")},
       echoed("ab")},
      {"nothing but empty fragments", {sent(text), sent(more), sent(fin | more)}, {}},
      {"a ping between fragments",
       {started, asked, sent(fin | more, "b")},
       pinged + echoed("ab")},
      {"pings around every fragment",
       {asked + started + asked + sent(more, "b") + asked + sent(fin | more, "c") +
        asked},
       pinged + pinged + pinged + echoed("abc") + pinged},
      {"a pong between fragments",
       {started, sent(fin | pong), sent(fin | more, "b")},
       echoed("ab")},
      {"two fragmented messages",
       {started + sent(fin | more, "b") + started + sent(fin | more, "c")},
       echoed("ab") + echoed("ac")},
      {"fragments that fill the limit",
       {sent(text, "echo " + of_size(34'995)), sent(fin | more, of_size(35'000))},
       echoed(of_size(69'995))},
  };
  const auto failing = table{
      {"a continuation of nothing", {sent(fin | more, "a")}, {}, protocol_error},
      {"an empty continuation of nothing", {sent(fin | more)}, {}, protocol_error},
      {"an open continuation of nothing", {sent(more, "a")}, {}, protocol_error},
      {"a continuation after a whole message",
       {echo("a") + sent(fin | more, "b")},
       echoed("a"),
       protocol_error},
      {"a continuation after a fragmented message",
       {started + sent(fin | more, "b") + sent(more, "c")},
       echoed("ab"),
       protocol_error},
      {"a continuation of a ping",
       {asked + sent(fin | more, "b")},
       pinged,
       protocol_error},
      {"a text in the middle of a text", {started, echo("b")}, {}, protocol_error},
      {"a binary in the middle of a text",
       {started, echo("b", fin | binary)},
       {},
       protocol_error},
      {"a text in the middle of a binary",
       {sent(binary, "a"), echo("b")},
       {},
       protocol_error},
      {"a text fragment in the middle of a text",
       {started, started},
       {},
       protocol_error},
      {"a text after an empty fragment", {sent(text), echo("b")}, {}, protocol_error},
      {"a text after a ping in a message",
       {started + asked + echo("b")},
       pinged,
       protocol_error},
      {"fragments that are too big together",
       {sent(text, of_size(35'000)), sent(more, of_size(35'000)),
        sent(fin | more, "x")},
       {},
       too_big},
      {"the rest is refused when it is announced",
       {sent(binary, of_size(69'999)),
        frame_head(fin | more, 2) + std::string{mask_key}},
       {},
       too_big},
      {"a continuation over the limit by itself",
       {started, frame_head(more, 70'001) + std::string{mask_key}},
       {},
       too_big},
  };
  rows.insert(rows.end(), going.begin(), going.end());
  rows.insert(rows.end(), failing.begin(), failing.end());
  return rows;
}

} // namespace

TEST_SUITE("net.ws_frames_table") {
  TEST_CASE_FIXTURE(frames_world,
                    "a payload has any length up to the limit, told tersely") {
    check(lengths());
  }
  TEST_CASE_FIXTURE(frames_world, "clients mask all their frames") {
    check(masks());
  }
  TEST_CASE_FIXTURE(frames_world,
                    "where the bytes of a frame are cut does not matter") {
    check(cuts());
  }
  TEST_CASE_FIXTURE(frames_world, "control frames are short, whole and answered") {
    check(control_frames());
  }
  TEST_CASE_FIXTURE(frames_world, "reserved bits are 0") {
    check(reserved_bits());
  }
  TEST_CASE_FIXTURE(frames_world, "reserved opcodes are refused") {
    check(reserved_opcodes());
  }
  TEST_CASE_FIXTURE(frames_world,
                    "fragments make one message, control frames between") {
    check(fragments());
  }
}

} // namespace jessica::test
