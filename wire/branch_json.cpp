#include "wire/branch_json.hpp"

#include "wire/json_reader.hpp"
#include "wire/reply_events.hpp"
#include "wire/reply_params.hpp"

#include <utility>

namespace jessica::wire {
namespace {

/// {reply_id, params?}: what regenerate and continue take.
template <class Wish>
[[nodiscard]] result<Wish> read_reply_wish(std::string_view json) {
  const auto reply = read_stop(json, "reply_id");
  if (!reply)
    return std::unexpected{reply.error()};
  const auto parsed = parse_object(json);
  if (!parsed)
    return std::unexpected{parsed.error()};
  if (const auto* const given = parsed->if_contains("params");
      given == nullptr || given->is_null())
    return Wish{*reply, std::nullopt};
  auto params = read_params(*parsed);
  if (!params)
    return std::unexpected{std::move(params.error())};
  return Wish{*reply, std::move(*params)};
}

} // namespace

result<edit_wish> read_edit(std::string_view json, std::size_t max_bytes) {
  const auto message = read_stop(json, "message_id");
  if (!message)
    return std::unexpected{message.error()};
  auto sent = read_send(json, max_bytes);
  if (!sent)
    return std::unexpected{std::move(sent.error())};
  return edit_wish{*message, std::move(sent->content), std::move(sent->client_id),
                   std::move(sent->params)};
}

result<regenerate_wish> read_regenerate(std::string_view json) {
  return read_reply_wish<regenerate_wish>(json);
}

result<continue_wish> read_continue(std::string_view json) {
  return read_reply_wish<continue_wish>(json);
}

result<select_wish> read_choice(std::string_view json) {
  return read_stop(json, "message_id").transform([](message_id id) {
    return select_wish{id};
  });
}

} // namespace jessica::wire
