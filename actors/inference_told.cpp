#include "actors/inference_steps.hpp"
#include "domain/utf8.hpp"

#include <string_view>
#include <utility>

namespace jessica::actors::inference_steps {

wire::reply_ref ref_of(const inference_state& state) {
  return {state.what.reply, state.what.attempt};
}

void tell_aside(self_pointer self, std::string event, std::string payload) {
  constexpr auto server = socket_number{0};
  auto& state = self->state;
  if (state.channel && state.deps.lease->held(self->clock().now()))
    self->send(
        state.channel,
        broadcast{state.room, server, {std::move(event), true, std::move(payload)}});
}

void tell_thoughts(self_pointer self) {
  constexpr auto most_bytes = std::size_t{16'384};
  auto& thinks = self->state.thinks;
  if (thinks.untold.empty())
    return;
  thinks.told_at = self->clock().now();
  const auto all = std::exchange(thinks.untold, {});
  for (auto rest = std::string_view{all}; !rest.empty();) {
    const auto part = cut_utf8(rest, most_bytes);
    tell_aside(self, "reply.reasoning",
               wire::reply_reasoning(ref_of(self->state), std::string{part}));
    rest.remove_prefix(part.size());
  }
}

void think(self_pointer self, const engines::reasoning_made& made) {
  constexpr auto pause = std::chrono::milliseconds{100};
  auto& thinks = self->state.thinks;
  thinks.untold += made.text;
  if (self->clock().now() - thinks.told_at >= pause)
    tell_thoughts(self);
}

void change_model(self_pointer self, const std::string& to) {
  auto& state = self->state;
  if (std::exchange(state.model, to) == to)
    return;
  tell_aside(self, "reply.model", wire::reply_model(ref_of(state), state.model));
}

void tell_tokens(self_pointer self) {
  auto& state = self->state;
  if (state.told.seq == state.seq)
    return;
  self->send(state.channel, reply_grew{state.room, ref_of(state), state.told.seq + 1,
                                       state.seq, state.text.substr(state.told.bytes)});
  state.told = {state.seq, state.text.size()};
}

} // namespace jessica::actors::inference_steps
