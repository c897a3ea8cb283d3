// Feeds the decoder of client frames whatever libFuzzer thinks of, as text and as
// binary in both versions; what it understood must come out of the encoder as it went
// in.
#include "wire/channel.hpp"
#include "wire/json_reader.hpp"
#include "wire/phoenix.hpp"

#include <boost/json/src.hpp> // built here, so that the fuzzer sees into it

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

void demand_reason(const error& why) {
  demand(why.code == errc::invalid_input && !why.what.empty());
}

/// A server frame without its header.
std::string_view payload_of(const wire::frame& from) {
  demand(from && from->size() >= 2);
  auto bytes = std::string_view{*from};
  const auto told = static_cast<unsigned char>(bytes[1]);
  demand(told <= 127); // servers do not mask
  bytes.remove_prefix(told == 127 ? 10 : told == 126 ? 4 : 2);
  demand(bytes.size() + wire::ws_header_size(bytes.size()) == from->size());
  return bytes;
}

void check_encoded(wire::serializer version, const wire::push& from) {
  const auto made = wire::encode_message(version, from.join_ref, from.ref, from.topic,
                                         from.event, from.payload);
  const auto again = wire::decode_push(version, payload_of(made), false);
  demand(again && *again);
  const auto& back = **again;
  const auto keeps_join_ref = version == wire::serializer::v2;
  demand(back.topic == from.topic && back.event == from.event && back.ref == from.ref);
  demand(back.payload == from.payload);
  demand(back.join_ref == (keeps_join_ref ? from.join_ref : std::nullopt));
  for (const auto ok : {true, false}) {
    demand(wire::valid_json(payload_of(wire::encode_reply(
        version, from.join_ref, from.ref, from.topic, ok, from.payload))));
  }
  demand(wire::valid_json(payload_of(
      wire::encode_refusal(version, from.join_ref, from.ref, from.topic, from.event))));
}

void check_broadcast(const wire::push& from) {
  const auto seen = wire::read_broadcast(from);
  if (!seen) {
    return demand_reason(seen.error());
  }
  demand(seen->event.size() <= 255);
  demand(!seen->json || wire::valid_json(seen->payload));
  const auto fits = from.topic.size() <= 255;
  const auto binary = wire::encode_broadcast(wire::serializer::v2, from.topic, *seen);
  const auto plain = wire::encode_broadcast(wire::serializer::v1, from.topic, *seen);
  demand((binary != nullptr) == fits);
  demand((plain != nullptr) == (fits && seen->json));
  if (binary) {
    demand(payload_of(binary).ends_with(seen->payload));
  }
  if (!plain) {
    return;
  }
  const auto back = wire::decode_push(wire::serializer::v1, payload_of(plain), false);
  if (!back) { // the envelope may nest a level too deep to be read as a client's frame
    return demand_reason(back.error());
  }
  const auto same = wire::read_broadcast(**back);
  demand(same && same->event == seen->event && same->json);
}

void check_join(std::string_view payload) {
  const auto asked = wire::read_join(payload);
  if (!asked) {
    demand_reason(asked.error());
  } else {
    demand(!asked->presence_key.contains('\0'));
    demand(!asked->access_token || !asked->access_token->empty());
    if (asked->replay) {
      demand(asked->replay->since.count() >= 0);
      demand(asked->replay->limit >= 1 && asked->replay->limit <= wire::most_replayed);
    }
    for (const auto& binding : asked->postgres_changes) {
      demand(wire::valid_json(binding) && binding.starts_with('{'));
    }
  }
  const auto token = wire::read_access_token(payload);
  demand(!token || !*token || !(*token)->empty());
}

void check_persist(std::string_view metadata) {
  const auto wish = wire::read_persist(metadata);
  if (!wish) {
    return demand_reason(wish.error());
  }
  demand(!*wish || !(*wish)->ttl || ((*wish)->ttl->count() >= 1));
}

void check(wire::serializer version, std::string_view bytes, bool binary) {
  const auto read = wire::decode_push(version, bytes, binary);
  if (!read) {
    return demand_reason(read.error());
  }
  if (!*read) {
    return demand(binary && version == wire::serializer::v2 && bytes.front() != 3);
  }
  const auto& push = **read;
  demand(push.binary.has_value() == binary);
  if (push.binary) {
    check_persist(push.binary->metadata);
  }
  demand(wire::valid_json(push.payload) && push.payload.starts_with('{'));
  check_encoded(version, push);
  check_broadcast(push);
  check_join(push.payload);
  if (const auto name = wire::channel_name(push.topic)) {
    demand(!name->empty() && !name->contains('\0'));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  for (const auto version : {wire::serializer::v1, wire::serializer::v2}) {
    check(version, input, false);
    check(version, input, true);
  }
  check_join(input);
  check_persist(input);
  return 0;
}
