#include "actors/stored_delivery.hpp"

#include <utility>

namespace jessica::actors {
namespace {

/// What may wait for a replay; a client that would miss more comes back instead.
constexpr auto most_held = std::size_t{256};
/// Of one member, stored and not yet back from the log.
constexpr auto most_own = std::size_t{256};

enum class moment : std::uint8_t { live, past };

[[nodiscard]] wire::frame encode(wire::serializer version, std::string_view topic,
                                 const storage::stored_broadcast& what, moment when) {
  auto meta = std::string{when == moment::past ? R"({"replayed":true,"id":")" //
                                               : R"({"id":")"};
  meta += what.id.str() + R"("})";
  return wire::encode_broadcast(version, topic,
                                {what.event, what.json, what.payload, meta});
}

void send(std::string_view topic, const member& to,
          const storage::stored_broadcast& what, moment when) {
  if (auto frame = encode(to.version, topic, what, when))
    to.out->push(std::move(frame));
}

/// Takes the id out; false: it was not there.
bool take(std::vector<uuid>& from, const uuid& id) {
  return std::erase(from, id) > 0;
}

} // namespace

void stored_delivery::hold(const member& who, const stored_ptr& what) {
  auto& held = listeners_[who.socket].held;
  if (held.size() == most_held)
    who.out->close(close_code::try_again_later);
  else
    held.push_back(what);
}

void stored_delivery::replay(std::string_view topic, const member& who,
                             std::span<const stored_ptr> past) {
  auto& known = listeners_[who.socket];
  for (const auto& one : past) {
    if (who.broadcasts)
      send(topic, who, *one, moment::past);
    known.replayed.push_back(one->id);
  }
  for (const auto& one : std::exchange(known.held, {}))
    if (hears(who.socket, one) && who.broadcasts)
      send(topic, who, *one, moment::live);
  forget_idle(who.socket);
}

void stored_delivery::expect_own(socket_number socket, uuid id) {
  auto& own = listeners_[socket].own;
  if (own.size() == most_own)
    own.erase(own.begin());
  own.push_back(id);
}

void stored_delivery::forget_own(socket_number socket, uuid id) {
  if (const auto found = listeners_.find(socket); found != listeners_.end())
    take(found->second.own, id);
  forget_idle(socket);
}

void stored_delivery::forget(socket_number socket) {
  listeners_.erase(socket);
}

void stored_delivery::forget_idle(socket_number socket) {
  const auto found = listeners_.find(socket);
  if (found != listeners_.end() && found->second.idle())
    listeners_.erase(found);
}

bool stored_delivery::hears(socket_number socket, const stored_ptr& what) {
  const auto found = listeners_.find(socket);
  if (found == listeners_.end())
    return true;
  auto& known = found->second;
  const auto unwanted = take(known.own, what->id) || take(known.replayed, what->id);
  forget_idle(socket);
  return !unwanted;
}

void stored_delivery::tell(const audience& all, const stored_ptr& what) {
  auto frames = encoded{[&](wire::serializer version) {
    return encode(version, all.topic, *what, moment::live);
  }};
  for (const auto& to : all.members)
    if (hears(to.socket, what) && to.broadcasts)
      all.push(to, frames.for_member(to));
}

} // namespace jessica::actors
