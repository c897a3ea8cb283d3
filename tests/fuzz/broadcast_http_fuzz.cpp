// Feeds the decoder of HTTP broadcasts whatever libFuzzer thinks of: the first lines
// are path, query and type, the rest is the body.
#include "domain/utf8.hpp"
#include "wire/broadcast_http.hpp"
#include "wire/json_reader.hpp"

#include <boost/json/src.hpp> // built here, so that the fuzzer sees into it

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

[[nodiscard]] std::string_view take_line(std::string_view& from) {
  const auto line = from.substr(0, from.find('\n'));
  from.remove_prefix(line.size() < from.size() ? line.size() + 1 : from.size());
  return line;
}

[[nodiscard]] bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto next = first_code_point(bytes);
    if (!next.valid || next.value == 0) {
      return false;
    }
    bytes.remove_prefix(next.size);
  }
  return true;
}

void check_message(const wire::outgoing_broadcast& message) {
  demand(!message.topic.empty() &&
         message.topic.size() <= wire::max_channel_name_bytes);
  demand(!message.what.event.empty() && message.what.event.size() <= 255);
  demand(is_text(message.topic) && is_text(message.what.event));
  demand(!message.what.json || wire::valid_json(message.what.payload));
  demand(!message.persist || message.is_private);
  const auto spelled = "realtime:" + message.topic;
  demand(wire::encode_broadcast(wire::serializer::v2, spelled, message.what) !=
         nullptr);
}

void check_refusal(const wire::problem& what) {
  demand(what.status == 404 || what.status == 415 || what.status == 422 ||
         what.status == 429);
  demand(wire::valid_json(what.body));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr auto most = std::size_t{3};
  auto rest = std::string_view{reinterpret_cast<const char*>(data), size};
  if (const auto batch = wire::read_broadcast_batch(rest, most)) {
    demand(batch->size() <= most);
    for (const auto& message : *batch) {
      demand(!message.persist && message.what.json);
      check_message(message);
    }
  } else {
    check_refusal(batch.error());
  }
  const auto path = take_line(rest);
  const auto query = take_line(rest);
  const auto type = take_line(rest);
  if (const auto one = wire::read_broadcast_request(path, query, type, rest)) {
    check_message(*one);
  } else {
    check_refusal(one.error());
  }
  return 0;
}
