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

void stored_delivery::await_replay(const member& who) {
  listeners_[who.socket].waiting = true;
}

void stored_delivery::replay(std::string_view topic, const member& who,
                             const std::optional<std::string>& join_ref,
                             std::span<const stored_ptr> past) {
  const auto found = listeners_.find(who.socket);
  if (found == listeners_.end() || !found->second.waiting || who.join_ref != join_ref)
    return;
  auto& known = found->second;
  known.waiting = false;
  for (const auto& one : past) {
    if (who.broadcasts)
      send(topic, who, *one, moment::past);
    known.replayed.push_back(one->id);
  }
  for (const auto& one : std::exchange(known.held, {}))
    if (hears(who, one) && who.broadcasts)
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

bool stored_delivery::hears(const member& who, const stored_ptr& what) {
  const auto found = listeners_.find(who.socket);
  if (found == listeners_.end())
    return true;
  auto& known = found->second;
  if (!known.waiting) {
    const auto unwanted = take(known.own, what->id) || take(known.replayed, what->id);
    forget_idle(who.socket);
    return !unwanted;
  }
  if (known.held.size() == most_held)
    who.out->close(close_code::try_again_later);
  else
    known.held.push_back(what);
  return false;
}

void stored_delivery::tell(const audience& all, const stored_ptr& what) {
  auto frames = encoded{[&](wire::serializer version) {
    return encode(version, all.topic, *what, moment::live);
  }};
  for (const auto& to : all.members)
    if (hears(to, what) && to.broadcasts)
      all.push(to, frames.for_member(to));
}

} // namespace jessica::actors
