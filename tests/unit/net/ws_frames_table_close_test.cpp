// What RFC 6455 says of text (it is UTF-8, or the connection fails at once) and of
// closing.
#include "net/ws_session.hpp"
#include "ws_frames_table.hpp"

namespace jessica::test {
namespace {

using namespace std::string_literals;

constexpr auto normal = 1000U;
constexpr auto protocol_error = 1002U;
constexpr auto bad_text = 1007U;

using table = std::vector<frame_case>;

constexpr auto valid_text = std::to_array<std::string_view>({
    {"\0", 1},              // U+0000
    "\x7f",                 // U+007F
    "\xc2\x80",             // U+0080
    "\xdf\xbf",             // U+07FF
    "\xe0\xa0\x80",         // U+0800
    "\xed\x9f\xbf",         // U+D7FF, before the surrogates
    "\xee\x80\x80",         // U+E000, after them
    "\xef\xb7\x90",         // U+FDD0, a noncharacter is valid
    "\xef\xbf\xbd",         // U+FFFD
    "\xef\xbf\xbf",         // U+FFFF
    "\xf0\x90\x80\x80",     // U+10000
    "\xf0\x9f\x8e\xb7",     // U+1F3B7
    "\xf4\x8f\xbf\xbf",     // U+10FFFF
    "\xce\xba\xe1\xbd\xb9", // two code points of different sizes
    "\xef\xbb\xbf"
    "after a byte order mark",
});

/// Wrong from its last byte on.
constexpr auto invalid_text = std::to_array<std::string_view>({
    "\x80",             // a continuation byte alone
    "\xbf",             //
    "\xc0",             // overlong
    "\xc1",             //
    "\xc2\x41",         // continuation byte missing
    "\xc2\xc2",         //
    "\xe0\x80",         // overlong
    "\xe0\x9f",         //
    "\xe1\x41",         // continuation byte missing
    "\xe1\x80\x41",     //
    "\xe1\x80\xc0",     //
    "\xed\xa0",         // surrogates
    "\xed\xbf",         //
    "\xf0\x80",         // overlong
    "\xf0\x8f",         //
    "\xf1\x80\x41",     // continuation byte missing
    "\xf1\x80\x80\x41", //
    "\xf1\x80\x80\xff", //
    "\xf4\x90",         // beyond U+10FFFF
    "\xf4\xbf",         //
    "\xf5",             //
    "\xf7",             //
    "\xf8",             // five and six bytes
    "\xfc",             //
    "\xfe",             // never
    "\xff",             //
});

/// Good so far, but a message must not end here.
constexpr auto unfinished_text = std::to_array<std::string_view>(
    {"\xc2", "\xe1", "\xe1\x80", "\xed\x9f", "\xf1", "\xf1\x80", "\xf4\x8f\xbf"});

table texts() {
  auto rows = table{};
  for (const auto& bytes : valid_text) {
    const auto name = shown(bytes);
    rows.push_back({name, {echo(bytes)}, echoed(bytes)});
    auto parts = std::vector{sent(text, "echo ")};
    for (const auto byte : bytes)
      parts.push_back(sent(more, {&byte, 1}));
    parts.push_back(sent(fin | more));
    rows.push_back({name + " in fragments of a byte", std::move(parts), echoed(bytes)});
    rows.push_back(
        {name + " in segments of a byte", byte_by_byte(echo(bytes)), echoed(bytes)});
  }
  const auto long_text =
      std::string(163, 'x') + "\xf0\x9f\x8e\xb7"; // across our buffer
  for (const auto pad :
       {0UZ, 1UZ, 2UZ, 3UZ, 4UZ, 5UZ, 6UZ, 7UZ, 8UZ, 9UZ, 10UZ, 11UZ, 12UZ})
    rows.push_back({std::format("a code point behind {} bytes", 163 - pad),
                    {echo(long_text.substr(pad))},
                    echoed(long_text.substr(pad))});
  rows.push_back({"binary may hold anything",
                  {echo("\xff\xc0\xed\xa0\x80", fin | binary)},
                  echoed("\xff\xc0\xed\xa0\x80")});
  return rows;
}

/// The bad byte is the last that the client sends, and the message would go on.
table bad_texts() {
  auto rows = table{};
  for (const auto& bytes : invalid_text) {
    const auto name = shown(bytes);
    const auto so_far = "echo "s + std::string{bytes};
    rows.push_back(
        {name + " in a whole message", {sent(fin | text, so_far)}, {}, bad_text});
    rows.push_back(
        {name + " in the first fragment", {sent(text, so_far)}, {}, bad_text});
    rows.push_back(
        {name + " in half a frame",
         {frame_head(fin | text, 5000) + std::string{mask_key} + masked(so_far)},
         {},
         bad_text});
    auto parts = std::vector{sent(text, "echo ")};
    for (const auto byte : bytes)
      parts.push_back(sent(more, {&byte, 1}));
    rows.push_back({name + " in fragments of a byte", std::move(parts), {}, bad_text});
  }
  for (const auto& bytes : unfinished_text) {
    const auto name = shown(bytes);
    rows.push_back({name + " at the end", {echo(bytes)}, {}, bad_text});
    rows.push_back({name + " at the end of the last fragment",
                    {sent(text, "echo "), sent(fin | more, bytes)},
                    {},
                    bad_text});
    rows.push_back({name + " before an empty last fragment",
                    {echo(bytes, text), sent(fin | more), closing(1001)},
                    {},
                    bad_text});
    rows.push_back({name + " before a ping and text",
                    {echo(bytes, text) + sent(fin | ping, "p") + sent(fin | more, "a")},
                    answered(pong, "p"),
                    bad_text});
  }
  rows.push_back({"good messages before it are answered",
                  {echo("a") + sent(fin | text, "\xff") + echo("b")},
                  echoed("a"),
                  bad_text});
  rows.push_back(
      {"a bad byte deep in a long fragment",
       {sent(text, std::string(3000, 'x') + "\xff" + std::string(3000, 'x'))},
       {},
       bad_text});
  return rows;
}

table closings() {
  auto rows = table{};
  for (const auto code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U,
                          1012U, 1013U, 3000U, 3999U, 4000U, 4999U})
    rows.push_back({std::format("code {}", code), {closing(code)}, {}, code});
  // 1014 is none of RFC 6455; from 5000 on codes have no meaning at all.
  for (const auto code : {0U, 1U, 999U, 1004U, 1005U, 1006U, 1014U, 1015U, 1016U, 1100U,
                          2000U, 2999U, 5000U, 9999U, 65'535U})
    rows.push_back({std::format("code {}", code), {closing(code)}, {}, protocol_error});
  const auto reason = [](std::size_t bytes) { return std::string(bytes, 'r'); };
  const auto bye = closing(normal);
  const auto others = table{
      {"no code", {sent(fin | close)}, {}, normal},
      {"half a code", {sent(fin | close, "\x03")}, {}, protocol_error},
      {"a reason", {closing(1001, "going home")}, {}, 1001},
      {"a reason of 123 bytes", {closing(4000, reason(123))}, {}, 4000},
      {"a reason of 124 bytes", {closing(4000, reason(124))}, {}, protocol_error},
      {"a reason beyond ASCII", {closing(normal, "\xf0\x9f\x8e\xb7")}, {}, normal},
      {"a reason with a bad code", {closing(1005, "none")}, {}, protocol_error},
      {"byte by byte", byte_by_byte(closing(3000, "slowly")), {}, 3000},
      {"a message after it", {bye + echo("too late")}, {}, normal},
      {"a message after it was answered", {bye, echo("too late")}, {}, normal},
      {"a ping after it", {bye + sent(fin | ping, "p")}, {}, normal},
      {"nonsense after it", {bye + "\xff\xff\xff\xff\xff\xff\xff\xff"}, {}, normal},
      {"twice", {bye + closing(1001)}, {}, normal},
      {"twice, the first one wrong", {closing(1005) + bye}, {}, protocol_error},
      {"after messages",
       {echo("a") + sent(fin | ping, "p") + bye},
       echoed("a") + answered(pong, "p"),
       normal},
      {"in the middle of a message", {sent(text, "echo a") + bye}, {}, normal},
      {"in the middle, and the message goes on",
       {sent(text, "echo a") + bye + sent(fin | more, "b")},
       {},
       normal},
      {"in the middle of a code point",
       {sent(text, "echo \xf0\x9f") + bye},
       {},
       normal},
  };
  rows.insert(rows.end(), others.begin(), others.end());
  for (const auto& bytes :
       {"\xff"s, "good \xed\xa0\x80"s, "\xc0\xaf"s, "cut \xf0\x9f"s})
    rows.push_back({std::format("the reason {}", shown(bytes)),
                    {closing(normal, bytes)},
                    {},
                    protocol_error});
  return rows;
}

} // namespace

TEST_SUITE("net.ws_frames_table") {
  TEST_CASE_FIXTURE(frames_world, "all of UTF-8 is text, wherever it is cut") {
    check(texts());
  }
  TEST_CASE_FIXTURE(frames_world, "what is not UTF-8 fails at its first bad byte") {
    check(bad_texts());
  }
  TEST_CASE_FIXTURE(frames_world, "a close is answered once and is the last word") {
    check(closings());
  }

  TEST_CASE_FIXTURE(frames_world, "a client that talks on after its close is cut") {
    const auto at = serve();
    auto client = connect(at);
    client.send(closing(normal));
    CHECK(client.rest() == closed(normal));
    const auto deadline = std::chrono::steady_clock::now() + patience;
    auto in_time = true;
    while (in_time && client.send(echo("and another thing")))
      in_time = std::chrono::steady_clock::now() < deadline;
    CHECK(in_time);
    CHECK(log.wait("socket_closed"));
  }
}

} // namespace jessica::test
