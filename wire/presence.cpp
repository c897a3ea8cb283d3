#include "wire/presence.hpp"

#include "wire/json_reader.hpp"

#include <boost/json/serialize.hpp>

namespace jessica::wire {
namespace json = boost::json;

result<presence_call> read_presence(const push& message) {
  auto parsed = parse_object(message.payload);
  if (!parsed)
    return std::unexpected{std::move(parsed.error())};
  const auto event = json_reader{*parsed}.text("event");
  if (!event)
    return std::unexpected{event.error()};
  if (*event == "untrack")
    return presence_call{};
  if (*event != "track")
    return fail(errc::invalid_input, "Presence event must be track or untrack",
                "validation_failed");
  auto* payload = parsed->if_contains("payload");
  if (payload == nullptr)
    return presence_call{"{}"};
  if (!payload->is_object())
    return fail(errc::invalid_input, "Presence track payload must be a map",
                "validation_failed");
  auto& meta = payload->get_object();
  meta.erase("phx_ref");
  meta.erase("phx_ref_prev");
  return presence_call{json::serialize(meta)};
}

} // namespace jessica::wire
