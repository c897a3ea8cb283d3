#include "bench/load/phoenix.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <format>
#include <initializer_list>

namespace jessica::bench {
namespace {

constexpr auto push_kind = char{3};
constexpr auto delivery_kind = char{4};
constexpr auto json_encoding = char{1};

/// Cuts the first element, a string or null, and its comma off an array's inside.
[[nodiscard]] std::optional<std::string_view> cut_element(std::string_view& rest) {
  constexpr auto null = std::string_view{"null"};
  auto element = std::string_view{};
  if (rest.starts_with(null)) {
    rest.remove_prefix(null.size());
  } else {
    if (!rest.starts_with('"'))
      return std::nullopt;
    const auto end = rest.find('"', 1); // topics, events and refs here need no escapes
    if (end == std::string_view::npos)
      return std::nullopt;
    element = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
  }
  if (!rest.starts_with(','))
    return std::nullopt;
  rest.remove_prefix(1);
  return element;
}

/// [join_ref, ref, topic, event, payload]
[[nodiscard]] std::optional<message> read_text(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']'))
    return std::nullopt;
  auto rest = text.substr(1, text.size() - 2);
  auto parts = std::array<std::string_view, 4>{};
  for (auto& part : parts) {
    const auto element = cut_element(rest);
    if (!element)
      return std::nullopt;
    part = *element;
  }
  auto read = message{.kind = message::what::other,
                      .ref = 0,
                      .ok = false,
                      .event = parts[3],
                      .payload = rest};
  if (read.event != "phx_reply")
    return read;
  read.kind = message::what::reply;
  const auto ref = parts[1];
  (void)std::from_chars(ref.data(), ref.data() + ref.size(), read.ref);
  read.ok = rest.starts_with(R"({"status":"ok")");
  return read;
}

/// kind, sizes of topic, event and metadata, encoding; then these parts and the
/// payload.
[[nodiscard]] std::optional<message> read_binary(std::string_view bytes) {
  constexpr auto header_bytes = std::size_t{5};
  if (bytes.size() < header_bytes || bytes[0] != delivery_kind)
    return std::nullopt;
  const auto size = [&](std::size_t at) {
    return std::size_t{static_cast<unsigned char>(bytes[at])};
  };
  const auto event_at = header_bytes + size(1);
  const auto payload_at = event_at + size(2) + size(3);
  if (bytes.size() < payload_at)
    return std::nullopt;
  return message{.kind = message::what::broadcast,
                 .ref = 0,
                 .ok = false,
                 .event = bytes.substr(event_at, size(2)),
                 .payload = bytes.substr(payload_at)};
}

[[nodiscard]] std::string binary_message(char kind,
                                         std::initializer_list<std::string_view> parts,
                                         std::string_view payload) {
  auto out = std::string{kind};
  for (const auto part : parts)
    out += static_cast<char>(part.size());
  out += json_encoding;
  for (const auto part : parts)
    out += part;
  out += payload;
  return out;
}

} // namespace

std::string join_message(std::string_view topic, std::string_view token,
                         join_options how) {
  const auto access =
      token.empty() ? std::string{} : std::format(R"(,"access_token":"{}")", token);
  return std::format(
      R"(["{0}","{0}","{1}","phx_join",{{"config":{{"broadcast":)"
      R"({{"self":{2},"ack":{3}}},"presence":{{"key":"","enabled":false}},)"
      R"("postgres_changes":[{4}],"private":{5}}}{6}}}])",
      join_ref, topic, how.self, how.ack, how.changes, how.is_private, access);
}

std::string heartbeat_message(std::uint64_t ref) {
  return std::format(R"([null,"{}","phoenix","heartbeat",{{}}])", ref);
}

std::string broadcast_message(std::string_view topic, std::uint64_t ref,
                              std::string_view event, std::string_view payload) {
  return binary_message(
      push_kind, {std::to_string(join_ref), std::to_string(ref), topic, event, {}},
      payload);
}

std::string delivered_message(std::string_view topic, std::string_view event,
                              std::string_view payload) {
  return binary_message(delivery_kind, {topic, event, {}}, payload);
}

std::optional<message> read_message(const server_frame& from) {
  switch (from.kind) {
  case opcode::text:
    return read_text(from.payload);
  case opcode::binary:
    return read_binary(from.payload);
  default:
    return std::nullopt;
  }
}

} // namespace jessica::bench
