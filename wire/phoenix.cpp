#include "wire/phoenix.hpp"

#include "domain/utf8.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto broadcast_push_kind = char{3};
constexpr auto broadcast_kind = char{4};
constexpr auto raw_encoding = char{0};
constexpr auto json_encoding = char{1};
/// One byte holds the size of a topic, event or metadata.
constexpr auto max_name_bytes = std::size_t{255};

[[nodiscard]] std::unexpected<error> invalid(std::string what) {
  return fail(errc::invalid_input, std::move(what));
}

// --- decoding ------------------------------------------------------------------------

/// A string, or null for none. False: neither.
[[nodiscard]] bool read_ref(const json::value* from, std::optional<std::string>& into) {
  if (from == nullptr || from->is_null())
    return true;
  if (!from->is_string())
    return false;
  into = std::string{from->get_string()};
  return true;
}

/// The five parts of a message, wherever the version keeps them; null: missing.
struct message_parts {
  const json::value* join_ref = nullptr;
  const json::value* ref = nullptr;
  const json::value* topic = nullptr;
  const json::value* event = nullptr;
  const json::value* payload = nullptr;
};

[[nodiscard]] result<message_parts> find_parts(serializer version,
                                               const json::value& document) {
  if (version == serializer::v1) {
    const auto* fields = document.if_object();
    if (fields == nullptr)
      return invalid("message must be an object");
    return message_parts{fields->if_contains("join_ref"), fields->if_contains("ref"),
                         fields->if_contains("topic"), fields->if_contains("event"),
                         fields->if_contains("payload")};
  }
  const auto* items = document.if_array();
  if (items == nullptr || items->size() != 5)
    return invalid("message must be an array of five");
  return message_parts{&(*items)[0], &(*items)[1], &(*items)[2], &(*items)[3],
                       &(*items)[4]};
}

[[nodiscard]] result<std::optional<push>> decode_text(serializer version,
                                                      std::string_view bytes) {
  auto space = std::array<unsigned char, 4096>{}; // holds the usual message
  auto memory = json::monotonic_resource{space.data(), space.size()};
  const auto document = parse_json(bytes, &memory);
  if (!document)
    return std::unexpected{document.error()};
  const auto parts = find_parts(version, *document);
  if (!parts)
    return std::unexpected{parts.error()};
  auto read = push{};
  if (!read_ref(parts->join_ref, read.join_ref) || !read_ref(parts->ref, read.ref))
    return invalid("refs must be strings or null");
  if (parts->topic == nullptr || !parts->topic->is_string())
    return invalid("topic must be a string");
  if (parts->event == nullptr || !parts->event->is_string())
    return invalid("event must be a string");
  read.topic = std::string_view{parts->topic->get_string()};
  read.event = std::string_view{parts->event->get_string()};
  if (parts->payload == nullptr || parts->payload->is_null())
    return read;
  if (!parts->payload->is_object())
    return invalid("payload must be an object");
  read.payload = json::serialize(*parts->payload);
  return read;
}

[[nodiscard]] bool is_utf8(std::string_view text) noexcept {
  auto bits = 0U;
  for (const auto byte : text)
    bits |= static_cast<unsigned char>(byte);
  if (bits < 0x80)
    return true; // the usual name
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (!next.valid)
      return false;
    text.remove_prefix(next.size);
  }
  return true;
}

/// Cuts parts off the front of a binary push, as its size bytes say.
class binary_cursor {
public:
  explicit binary_cursor(std::string_view rest) : rest_{rest} {}

  /// The next part as UTF-8 text; nullopt: truncated or not UTF-8.
  [[nodiscard]] std::optional<std::string> text(char size_byte) {
    const auto size = std::size_t{static_cast<unsigned char>(size_byte)};
    if (rest_.size() < size || !is_utf8(rest_.substr(0, size)))
      return std::nullopt;
    auto part = std::string{rest_.substr(0, size)};
    rest_.remove_prefix(size);
    return part;
  }
  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

private:
  std::string_view rest_;
};

[[nodiscard]] std::optional<std::string> none_if_empty(std::string text) {
  return text.empty() ? std::nullopt : std::optional{std::move(text)};
}

/// kind, five sizes, encoding, then the parts and the payload.
[[nodiscard]] result<std::optional<push>> decode_binary(std::string_view bytes) {
  constexpr auto header_bytes = std::size_t{7};
  if (bytes.empty())
    return invalid("empty binary message");
  if (bytes.front() != broadcast_push_kind)
    return std::nullopt;
  if (bytes.size() < header_bytes)
    return invalid("truncated binary header");
  const auto encoding = bytes[6];
  if (encoding != raw_encoding && encoding != json_encoding)
    return invalid("unknown payload encoding");
  auto cursor = binary_cursor{bytes.substr(header_bytes)};
  auto parts = std::array<std::string, 5>{};
  for (auto i = std::size_t{0}; i < parts.size(); ++i) {
    auto part = cursor.text(bytes[i + 1]);
    if (!part)
      return invalid("binary message is truncated or not UTF-8");
    parts[i] = std::move(*part);
  }
  auto& [join_ref, ref, topic, event, metadata] = parts;
  if (!metadata.empty() && !valid_json(metadata))
    return invalid("metadata must be JSON");
  if (encoding == json_encoding && !valid_json(cursor.rest()))
    return invalid("payload must be JSON");
  auto read = push{};
  read.join_ref = none_if_empty(std::move(join_ref));
  read.ref = none_if_empty(std::move(ref));
  read.topic = std::move(topic);
  read.event = "broadcast";
  read.binary =
      push::binary_broadcast{std::move(event), std::move(metadata),
                             encoding == json_encoding, std::string{cursor.rest()}};
  return read;
}

// --- encoding: pieces whose size is known before they are written --------------------

struct raw {
  std::string_view text;
  [[nodiscard]] std::size_t size() const noexcept { return text.size(); }
  void append_to(std::string& to) const { to += text; }
};

struct quoted {
  std::string_view text;
  [[nodiscard]] std::size_t size() const noexcept { return quoted_size(text); }
  void append_to(std::string& to) const { append_quoted(to, text); }
};

struct quoted_or_null {
  std::optional<std::string_view> text;
  [[nodiscard]] std::size_t size() const noexcept {
    return text ? quoted_size(*text) : null.size();
  }
  void append_to(std::string& to) const {
    text ? append_quoted(to, *text) : void(to += null);
  }
  static constexpr auto null = std::string_view{"null"};
};

/// One frame of all pieces, its bytes allocated once.
template <class... Pieces> frame join(ws_opcode opcode, const Pieces&... pieces) {
  const auto payload_bytes = (pieces.size() + ...);
  auto bytes = std::string{};
  bytes.reserve(ws_header_size(payload_bytes) + payload_bytes);
  append_ws_header(bytes, opcode, payload_bytes);
  (pieces.append_to(bytes), ...);
  return std::make_shared<const std::string>(std::move(bytes));
}

/// Where a message goes and what it answers.
struct envelope {
  std::optional<std::string_view> join_ref;
  std::optional<std::string_view> ref;
  std::string_view topic;
  std::string_view event;
};

/// A text message around the pieces of its payload.
template <class... Pieces>
frame envelop(serializer version, const envelope& around, const Pieces&... payload) {
  const auto topic = quoted{around.topic};
  const auto event = quoted{around.event};
  const auto ref = quoted_or_null{around.ref};
  if (version == serializer::v1)
    return join(ws_opcode::text, raw{R"({"ref":)"}, ref, raw{R"(,"topic":)"}, topic,
                raw{R"(,"event":)"}, event, raw{R"(,"payload":)"}, payload...,
                raw{"}"});
  return join(ws_opcode::text, raw{"["}, quoted_or_null{around.join_ref}, raw{","}, ref,
              raw{","}, topic, raw{","}, event, raw{","}, payload..., raw{"]"});
}

} // namespace

std::optional<serializer> parse_vsn(std::optional<std::string_view> vsn) {
  if (!vsn || *vsn == "1.0.0")
    return serializer::v1;
  return *vsn == "2.0.0" ? std::optional{serializer::v2} : std::nullopt;
}

result<std::optional<push>> decode_push(serializer version, std::string_view bytes,
                                        bool binary) {
  if (!binary)
    return decode_text(version, bytes);
  if (version == serializer::v1)
    return invalid("binary messages need version 2.0.0");
  return decode_binary(bytes);
}

result<app_broadcast> read_broadcast(const push& message) {
  if (message.binary)
    return app_broadcast{
        message.binary->event, message.binary->json, message.binary->payload, {}};
  const auto parsed = parse_object(message.payload);
  if (!parsed)
    return std::unexpected{parsed.error()};
  const auto* type = parsed->if_contains("type");
  if (type == nullptr || !type->is_string() || type->get_string() != "broadcast")
    return invalid("type must be \"broadcast\"");
  const auto* event = parsed->if_contains("event");
  if (event == nullptr || !event->is_string())
    return invalid("event must be a string");
  if (event->get_string().size() > max_name_bytes)
    return invalid("event must be at most 255 bytes");
  const auto* payload = parsed->if_contains("payload");
  return app_broadcast{std::string{event->get_string()},
                       true,
                       payload == nullptr ? "{}" : json::serialize(*payload),
                       {}};
}

frame encode_message(serializer version, std::optional<std::string_view> join_ref,
                     std::optional<std::string_view> ref, std::string_view topic,
                     std::string_view event, std::string_view payload_json) {
  return envelop(version, {join_ref, ref, topic, event}, raw{payload_json});
}

frame encode_reply(serializer version, std::optional<std::string_view> join_ref,
                   std::optional<std::string_view> ref, std::string_view topic, bool ok,
                   std::string_view response_json) {
  const auto status =
      raw{ok ? R"({"status":"ok","response":)" : R"({"status":"error","response":)"};
  return envelop(version, {join_ref, ref, topic, "phx_reply"}, status,
                 raw{response_json}, raw{"}"});
}

frame encode_refusal(serializer version, std::optional<std::string_view> join_ref,
                     std::optional<std::string_view> ref, std::string_view topic,
                     std::string_view reason) {
  return envelop(version, {join_ref, ref, topic, "phx_reply"},
                 raw{R"({"status":"error","response":{"reason":)"}, quoted{reason},
                 raw{"}}"});
}

frame encode_broadcast(serializer version, std::string_view topic,
                       const app_broadcast& message) {
  if (topic.size() > max_name_bytes || message.event.size() > max_name_bytes ||
      message.meta.size() > max_name_bytes)
    return nullptr;
  if (version == serializer::v1) {
    if (!message.json)
      return nullptr;
    return envelop(
        version, {{}, {}, topic, "broadcast"}, raw{R"({"type":"broadcast","event":)"},
        quoted{message.event}, raw{R"(,"payload":)"}, raw{message.payload},
        raw{message.meta.empty() ? "" : R"(,"meta":)"}, raw{message.meta}, raw{"}"});
  }
  const auto header = std::array{broadcast_kind, static_cast<char>(topic.size()),
                                 static_cast<char>(message.event.size()),
                                 static_cast<char>(message.meta.size()),
                                 message.json ? json_encoding : raw_encoding};
  return join(ws_opcode::binary, raw{{header.data(), header.size()}}, raw{topic},
              raw{message.event}, raw{message.meta}, raw{message.payload});
}

} // namespace jessica::wire
