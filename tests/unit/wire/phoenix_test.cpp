#include "wire/phoenix.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.phoenix");

namespace jessica::wire {
namespace {

using namespace std::string_literals;

// Frames captured between the JavaScript client and a server.
constexpr auto captured_json_push = std::string_view{
    "0301010f03000136377265616c74696d653a726f6f6d3a31746f6b7b2274223a22"
    "68c3a9222c226e223a317d"};
constexpr auto captured_raw_push =
    std::string_view{"0301010f03000036387265616c74696d653a726f6f6d3a317261770102ff"};
constexpr auto captured_persist_push = std::string_view{
    "0301010f04160136397265616c74696d653a726f6f6d3a316b6565707b2270657273"
    "697374223a7b2274746c223a36307d7d7b226b223a317d"};
constexpr auto captured_json_broadcast = std::string_view{
    "040f0300017265616c74696d653a726f6f6d3a31746f6b7b2274223a2268c3a9222c"
    "226e223a317d"};
constexpr auto captured_raw_broadcast =
    std::string_view{"040f0300007265616c74696d653a726f6f6d3a317261770102ff"};

constexpr auto room = std::string_view{"realtime:room:1"};

[[nodiscard]] std::string unhex(std::string_view digits) {
  auto bytes = std::string{};
  for (auto i = std::size_t{0}; i < digits.size(); i += 2)
    bytes +=
        static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16));
  return bytes;
}

[[nodiscard]] push decode(serializer version, std::string_view text) {
  auto read = decode_push(version, text, false);
  REQUIRE(read.has_value());
  REQUIRE(read->has_value());
  return std::move(**read);
}

[[nodiscard]] push decode_binary(std::string_view bytes) {
  auto read = decode_push(serializer::v2, bytes, true);
  REQUIRE(read.has_value());
  REQUIRE(read->has_value());
  return std::move(**read);
}

[[nodiscard]] bool refused(serializer version, std::string_view bytes,
                           bool binary = false) {
  const auto read = decode_push(version, bytes, binary);
  return !read && read.error().code == errc::invalid_input;
}

/// A kind 3 push with sizes that fit its parts.
[[nodiscard]] std::string binary_push(std::string_view join_ref, std::string_view ref,
                                      std::string_view topic, std::string_view event,
                                      std::string_view metadata, char encoding,
                                      std::string_view payload) {
  auto bytes = "\x03"s;
  for (const auto part : {join_ref, ref, topic, event, metadata})
    bytes += static_cast<char>(part.size());
  bytes += encoding;
  for (const auto part : {join_ref, ref, topic, event, metadata, payload})
    bytes += part;
  return bytes;
}

/// The payload of a frame whose header must fit it.
[[nodiscard]] std::string payload_of(const frame& encoded, ws_opcode opcode) {
  REQUIRE(encoded != nullptr);
  for (const auto header_bytes : {2UL, 4UL, 10UL}) {
    const auto payload_bytes = encoded->size() - header_bytes;
    if (encoded->size() < header_bytes || ws_header_size(payload_bytes) != header_bytes)
      continue;
    auto header = std::string{};
    append_ws_header(header, opcode, payload_bytes);
    CHECK(encoded->substr(0, header_bytes) == header);
    return encoded->substr(header_bytes);
  }
  FAIL("no header fits");
  return {};
}

[[nodiscard]] std::string text_of(const frame& encoded) {
  return payload_of(encoded, ws_opcode::text);
}

// --- versions ------------------------------------------------------------------------

TEST_CASE("no vsn means 1.0.0, unknown ones are refused") {
  CHECK(parse_vsn(std::nullopt) == serializer::v1);
  CHECK(parse_vsn("1.0.0") == serializer::v1);
  CHECK(parse_vsn("2.0.0") == serializer::v2);
  for (const auto* vsn : {"", "1", "2", "2.0", "3.0.0", "2.0.0 ", "latest"}) {
    CAPTURE(vsn);
    CHECK(parse_vsn(vsn) == std::nullopt);
  }
}

// --- decoding text -------------------------------------------------------------------

TEST_CASE("a captured join of 2.0.0 is read") {
  const auto read = decode(
      serializer::v2,
      R"(["6","7","realtime:room:1","phx_join",{"config":{"private":true},"access_token":"x"}])");
  CHECK(read.join_ref == "6");
  CHECK(read.ref == "7");
  CHECK(read.topic == room);
  CHECK(read.event == "phx_join");
  CHECK(read.payload == R"({"config":{"private":true},"access_token":"x"})");
  CHECK_FALSE(read.binary.has_value());
}

TEST_CASE("a captured heartbeat of each version is read") {
  const auto second = decode(serializer::v2, R"([null,"18","phoenix","heartbeat",{}])");
  CHECK(second.join_ref == std::nullopt);
  CHECK(second.ref == "18");
  CHECK(second.topic == "phoenix");
  CHECK(second.payload == "{}");
  const auto first =
      decode(serializer::v1,
             R"({"topic":"phoenix","event":"heartbeat","payload":{},"ref":"17"})");
  CHECK(first.join_ref == std::nullopt);
  CHECK(first.ref == "17");
  CHECK(first.event == "heartbeat");
}

TEST_CASE("a captured broadcast of 1.0.0 is read") {
  const auto read = decode(
      serializer::v1,
      R"({"topic":"realtime:room:1","event":"broadcast","payload":{"type":"broadcast","event":"tok","payload":{"t":"hé","n":1}},"ref":"7","join_ref":"6"})");
  CHECK(read.join_ref == "6");
  CHECK(read.ref == "7");
  CHECK(read.payload ==
        R"({"type":"broadcast","event":"tok","payload":{"t":"hé","n":1}})");
}

TEST_CASE("escapes are resolved and a missing or null payload is {}") {
  const auto read =
      decode(serializer::v2, R"([null,null,"realtime:\u00e9\"","\u0061",null])");
  CHECK(read.topic == "realtime:é\"");
  CHECK(read.event == "a");
  CHECK(read.payload == "{}");
  CHECK(decode(serializer::v1, R"({"topic":"t","event":"e"})").payload == "{}");
}

TEST_CASE("a wrong type in any position of 2.0.0 is refused") {
  for (const auto* text :
       {R"([1,"7","t","e",{}])", R"([{},"7","t","e",{}])", R"(["6",7,"t","e",{}])",
        R"(["6",[],"t","e",{}])", R"(["6","7",null,"e",{}])", R"(["6","7",5,"e",{}])",
        R"(["6","7","t",null,{}])", R"(["6","7","t",true,{}])",
        R"(["6","7","t","e",[]])", R"(["6","7","t","e","{}"])",
        R"(["6","7","t","e",5])", R"(["6","7","t","e"])", R"(["6","7","t","e",{},0])",
        R"([])", R"({})", R"("x")", R"(5)", R"(null)",
        R"({"topic":"t","event":"e","payload":{},"ref":"1"})"}) {
    CAPTURE(text);
    CHECK(refused(serializer::v2, text));
  }
}

TEST_CASE("a wrong type in any field of 1.0.0 is refused") {
  for (const auto* text :
       {R"({"event":"e"})", R"({"topic":"t"})", R"({"topic":5,"event":"e"})",
        R"({"topic":"t","event":null})", R"({"topic":"t","event":"e","ref":1})",
        R"({"topic":"t","event":"e","join_ref":1})",
        R"({"topic":"t","event":"e","payload":[]})",
        R"({"topic":"t","event":"e","payload":"x"})", R"([])", R"(null)",
        R"(["6","7","t","e",{}])"}) {
    CAPTURE(text);
    CHECK(refused(serializer::v1, text));
  }
}

TEST_CASE("text that is no JSON, not UTF-8 or too deep is refused") {
  for (const auto version : {serializer::v1, serializer::v2}) {
    CHECK(refused(version, ""));
    CHECK(refused(version, "[[[["));
    CHECK(refused(version, "[null,null,\"t\xff\",\"e\",{}]"));
    CHECK(refused(version, "{\"topic\":\"t\xc0\xaf\",\"event\":\"e\"}"));
    CHECK(refused(version, "[null,null,\"t\",\"e\",{}]\0"s));
    CHECK(refused(version, R"([null,null,"t","e",{"a":)" + std::string(100'000, '[')));
  }
  CHECK(refused(serializer::v2, R"([null,null,"t","e",{"a":)" + std::string(40, '[') +
                                    std::string(40, ']') + "}]"));
}

TEST_CASE("every shortened message is refused") {
  const auto whole = R"(["6","7","realtime:room:1","phx_join",{"a":{"b":[1,"x"]}}])"s;
  for (auto size = std::size_t{0}; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(refused(serializer::v2, std::string_view{whole}.substr(0, size)));
  }
}

TEST_CASE("huge numbers in a payload are no failure") {
  const auto read = decode(
      serializer::v2,
      R"([null,null,"t","e",{"a":18446744073709551615,"b":123456789012345678901234567890}])");
  CHECK(read.payload.starts_with(R"({"a":18446744073709551615,"b":1.23)"));
}

// --- decoding binary -----------------------------------------------------------------

TEST_CASE("a captured JSON broadcast of kind 3 is read") {
  const auto read = decode_binary(unhex(captured_json_push));
  CHECK(read.join_ref == "6");
  CHECK(read.ref == "7");
  CHECK(read.topic == room);
  CHECK(read.event == "broadcast");
  REQUIRE(read.binary.has_value());
  CHECK(read.binary->event == "tok");
  CHECK(read.binary->metadata.empty());
  CHECK(read.binary->json);
  CHECK(read.binary->payload == R"({"t":"hé","n":1})");
}

TEST_CASE("a captured broadcast of raw bytes is read") {
  const auto read = decode_binary(unhex(captured_raw_push));
  CHECK(read.ref == "8");
  REQUIRE(read.binary.has_value());
  CHECK(read.binary->event == "raw");
  CHECK_FALSE(read.binary->json);
  CHECK(read.binary->payload == "\x01\x02\xff"s);
}

TEST_CASE("a captured broadcast with metadata is read") {
  const auto read = decode_binary(unhex(captured_persist_push));
  REQUIRE(read.binary.has_value());
  CHECK(read.binary->event == "keep");
  CHECK(read.binary->metadata == R"({"persist":{"ttl":60}})");
  CHECK(read.binary->payload == R"({"k":1})");
}

TEST_CASE("empty refs of a binary push mean none, empty raw bytes are bytes") {
  const auto read = decode_binary(binary_push("", "", "t", "", "", 0, ""));
  CHECK(read.join_ref == std::nullopt);
  CHECK(read.ref == std::nullopt);
  CHECK(read.binary->event.empty());
  CHECK(read.binary->payload.empty());
}

TEST_CASE("parts of 255 bytes are read whole") {
  const auto longest = std::string(255, 'x');
  const auto read =
      decode_binary(binary_push(longest, longest, longest, longest, "", 0, "p"));
  CHECK(read.join_ref == longest);
  CHECK(read.topic == longest);
  CHECK(read.binary->event == longest);
  CHECK(read.binary->payload == "p");
}

TEST_CASE("a binary push cut at any byte before its payload's end is refused") {
  for (const auto captured : {captured_json_push, captured_persist_push}) {
    const auto whole = unhex(captured);
    for (auto size = std::size_t{0}; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(refused(serializer::v2, std::string_view{whole}.substr(0, size), true));
    }
  }
  const auto raw_push = unhex(captured_raw_push);
  for (auto size = std::size_t{0}; size < raw_push.size() - 3; ++size) {
    CAPTURE(size);
    CHECK(refused(serializer::v2, std::string_view{raw_push}.substr(0, size), true));
  }
}

TEST_CASE("sizes that reach past the end are refused") {
  for (auto i = std::size_t{1}; i <= 5; ++i) {
    auto bytes = binary_push("6", "7", "t", "e", "", 0, "p");
    bytes[i] = '\xff';
    CAPTURE(i);
    CHECK(refused(serializer::v2, bytes, true));
  }
}

TEST_CASE("text of a binary push must be UTF-8 and its JSON must be JSON") {
  const auto bad = "\xff"s;
  CHECK(refused(serializer::v2, binary_push(bad, "7", "t", "e", "", 0, ""), true));
  CHECK(refused(serializer::v2, binary_push("6", bad, "t", "e", "", 0, ""), true));
  CHECK(refused(serializer::v2, binary_push("6", "7", bad, "e", "", 0, ""), true));
  CHECK(refused(serializer::v2, binary_push("6", "7", "t", bad, "", 0, ""), true));
  CHECK(refused(serializer::v2, binary_push("6", "7", "t", "e", bad, 0, ""), true));
  CHECK(refused(serializer::v2, binary_push("6", "7", "t", "e", "{", 0, ""), true));
  for (const auto& payload :
       {""s, "{"s, "{}}"s, "{},"s, "\"\xff\""s, "nul"s, "{\"a\":\"\xed\xa0\x80\"}"s}) {
    CAPTURE(payload);
    CHECK(
        refused(serializer::v2, binary_push("6", "7", "t", "e", "", 1, payload), true));
  }
}

TEST_CASE("a size that cuts a character in two is refused") {
  auto bytes = binary_push("6", "7", "té", "e", "", 0, "p");
  bytes[3] = 2; // the topic ends inside é
  CHECK(refused(serializer::v2, bytes, true));
}

TEST_CASE("a JSON payload may be any value") {
  for (const auto* payload : {"null", "5", "\"x\"", "[]", " {} ", "1e999"}) {
    CAPTURE(payload);
    CHECK(decode_binary(binary_push("6", "7", "t", "e", "", 1, payload))
              .binary->payload == payload);
  }
}

TEST_CASE("an unknown payload encoding is refused") {
  CHECK(refused(serializer::v2, binary_push("6", "7", "t", "e", "", 2, "{}"), true));
  CHECK(
      refused(serializer::v2, binary_push("6", "7", "t", "e", "", '\xff', "{}"), true));
}

TEST_CASE("other kinds are to be ignored, whatever follows") {
  for (const auto kind : {0, 1, 2, 4, 5, 255}) {
    CAPTURE(kind);
    const auto read =
        decode_push(serializer::v2, std::string(1, static_cast<char>(kind)), true);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->has_value());
  }
}

TEST_CASE("1.0.0 knows no binary messages, and an empty one is nothing") {
  CHECK(refused(serializer::v1, unhex(captured_json_push), true));
  CHECK(refused(serializer::v2, "", true));
}

// --- broadcasts ----------------------------------------------------------------------

[[nodiscard]] result<app_broadcast> read_payload(std::string payload) {
  auto message = push{};
  message.event = "broadcast";
  message.payload = std::move(payload);
  return read_broadcast(message);
}

TEST_CASE("a text broadcast may carry any JSON value") {
  for (const auto* value : {"{\"a\":1}", "null", "5", "\"x\"", "[1,2]", "true"}) {
    CAPTURE(value);
    const auto read =
        read_payload(R"({"type":"broadcast","event":"E","payload":)"s + value + "}");
    REQUIRE(read.has_value());
    CHECK(read->event == "E");
    CHECK(read->json);
    CHECK(read->payload == value);
  }
}

TEST_CASE("a text broadcast without payload carries {}") {
  CHECK(read_payload(R"({"type":"broadcast","event":"E"})")->payload == "{}");
}

TEST_CASE("a text broadcast needs type, event and an event of 255 bytes at most") {
  for (const auto* payload :
       {"{}", R"({"type":"broadcast"})", R"({"event":"E"})",
        R"({"type":"presence","event":"E"})", R"({"type":5,"event":"E"})",
        R"({"type":"broadcast","event":5})", R"({"type":"broadcast","event":null})"}) {
    CAPTURE(payload);
    CHECK(read_payload(payload).error().code == errc::invalid_input);
  }
  const auto with_event = [](std::size_t size) {
    return R"({"type":"broadcast","event":")" + std::string(size, 'e') + "\"}";
  };
  CHECK(read_payload(with_event(255)).has_value());
  CHECK_FALSE(read_payload(with_event(256)).has_value());
}

TEST_CASE("a binary push is the broadcast it holds") {
  const auto read = read_broadcast(decode_binary(unhex(captured_raw_push)));
  REQUIRE(read.has_value());
  CHECK(read->event == "raw");
  CHECK_FALSE(read->json);
  CHECK(read->payload == "\x01\x02\xff"s);
}

TEST_CASE("a captured broadcast leaves as the captured frame of each version") {
  const auto json = app_broadcast{"tok", true, R"({"t":"hé","n":1})"};
  CHECK(payload_of(encode_broadcast(serializer::v2, room, json), ws_opcode::binary) ==
        unhex(captured_json_broadcast));
  CHECK(text_of(encode_broadcast(serializer::v1, room, json)) ==
        R"({"ref":null,"topic":"realtime:room:1","event":"broadcast","payload":)"
        R"({"type":"broadcast","event":"tok","payload":{"t":"hé","n":1}}})");
}

TEST_CASE("raw bytes go to 2.0.0 only") {
  const auto bytes = app_broadcast{"raw", false, "\x01\x02\xff"s};
  CHECK(payload_of(encode_broadcast(serializer::v2, room, bytes), ws_opcode::binary) ==
        unhex(captured_raw_broadcast));
  CHECK(encode_broadcast(serializer::v1, room, bytes) == nullptr);
}

TEST_CASE("a topic or event over 255 bytes gives no frame") {
  const auto longest = std::string(255, 'x');
  const auto too_long = std::string(256, 'x');
  for (const auto version : {serializer::v1, serializer::v2}) {
    CHECK(encode_broadcast(version, longest, {longest, true, "{}"}) != nullptr);
    CHECK(encode_broadcast(version, too_long, {"e", true, "{}"}) == nullptr);
    CHECK(encode_broadcast(version, "t", {too_long, true, "{}"}) == nullptr);
  }
}

TEST_CASE("what 2.0.0 sends as binary decodes to the same parts, long ones too") {
  const auto event = std::string(255, 'e');
  const auto payload = '"' + std::string(70'000, 'p') + '"';
  const auto bytes =
      payload_of(encode_broadcast(serializer::v2, room, {event, true, payload}),
                 ws_opcode::binary);
  CHECK(bytes.size() == 5 + room.size() + event.size() + payload.size());
  CHECK(static_cast<unsigned char>(bytes[2]) == 255);
  CHECK(bytes.ends_with(payload));
}

// --- encoding text -------------------------------------------------------------------

TEST_CASE("what the server adds to a broadcast travels as metadata") {
  auto told = app_broadcast{"tok", true, "{}"};
  told.meta = R"({"id":"x"})";
  CHECK(payload_of(encode_broadcast(serializer::v2, room, told), ws_opcode::binary) ==
        "\x04\x0f\x03\x0a\x01" + std::string{room} + R"(tok{"id":"x"}{})");
  CHECK(
      text_of(encode_broadcast(serializer::v1, room, told)) ==
      R"({"ref":null,"topic":"realtime:room:1","event":"broadcast","payload":{"type":"broadcast","event":"tok","payload":{},"meta":{"id":"x"}}})");
  told.meta = '"' + std::string(254, 'x') + '"';
  CHECK(encode_broadcast(serializer::v2, room, told) == nullptr);
}

TEST_CASE("replies are the captured frames") {
  CHECK(text_of(encode_reply(serializer::v2, "6", "7", room, true, "{}")) ==
        R"(["6","7","realtime:room:1","phx_reply",{"status":"ok","response":{}}])");
  CHECK(text_of(encode_reply(serializer::v2, {}, "18", "phoenix", true, "{}")) ==
        R"([null,"18","phoenix","phx_reply",{"status":"ok","response":{}}])");
  CHECK(
      text_of(encode_reply(serializer::v1, "6", "7", room, true, "{}")) ==
      R"({"ref":"7","topic":"realtime:room:1","event":"phx_reply","payload":{"status":"ok","response":{}}})");
  CHECK(text_of(encode_reply(serializer::v2, "6", "7", "t", false, R"({"a":1})")) ==
        R"(["6","7","t","phx_reply",{"status":"error","response":{"a":1}}])");
}

TEST_CASE("a refusal carries its reason, quoted") {
  CHECK(
      text_of(encode_refusal(serializer::v2, "17", "17", "realtime:deny",
                             "Unauthorized: \"no\"")) ==
      R"(["17","17","realtime:deny","phx_reply",{"status":"error","response":{"reason":"Unauthorized: \"no\""}}])");
  CHECK(
      text_of(encode_refusal(serializer::v1, "17", "18", "t", "x")) ==
      R"({"ref":"18","topic":"t","event":"phx_reply","payload":{"status":"error","response":{"reason":"x"}}})");
}

TEST_CASE("messages are the captured frames, and 1.0.0 has no join_ref") {
  const auto state = R"({"someone":{"metas":[{"phx_ref":"F1","name":"bob"}]}})";
  CHECK(
      text_of(encode_message(serializer::v2, "6", {}, room, "presence_state", state)) ==
      R"(["6",null,"realtime:room:1","presence_state",{"someone":{"metas":[{"phx_ref":"F1","name":"bob"}]}}])");
  CHECK(
      text_of(encode_message(serializer::v1, "6", {}, room, "presence_state", state)) ==
      R"({"ref":null,"topic":"realtime:room:1","event":"presence_state","payload":{"someone":{"metas":[{"phx_ref":"F1","name":"bob"}]}}})");
  CHECK(text_of(encode_message(serializer::v2, "6", "41", room, "phx_close", "{}")) ==
        R"(["6","41","realtime:room:1","phx_close",{}])");
}

TEST_CASE("refs, topics and events are escaped, and what was sent is read back") {
  const auto odd = "a\"\\\n\x01é"s;
  const auto text = text_of(encode_message(serializer::v2, odd, odd, odd, odd, "{}"));
  const auto read = decode(serializer::v2, text);
  CHECK(read.join_ref == odd);
  CHECK(read.ref == odd);
  CHECK(read.topic == odd);
  CHECK(read.event == odd);
}

TEST_CASE("every length of header fits its message, which is allocated once") {
  for (const auto size : {0UL, 80UL, 130UL, 65'500UL, 65'600UL}) {
    const auto payload = R"({"x":")" + std::string(size, 'x') + "\"}";
    const auto encoded = encode_message(serializer::v2, {}, {}, "t", "e", payload);
    CAPTURE(size);
    CHECK(text_of(encoded) == R"([null,null,"t","e",)" + payload + "]");
    if (encoded->size() > 32) // beyond the string's own small buffer
      CHECK(encoded->capacity() == encoded->size());
  }
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
