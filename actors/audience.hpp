// The members of a room, for whoever has something to tell them.
#pragma once

#include "actors/room_messages.hpp"
#include "wire/ws_frame.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::actors {

/// Encodes a message at most once for each serializer version in use.
template <class Encode> class encoded {
public:
  /// `encode` gives the frame for a version; null: it cannot carry the message.
  explicit encoded(Encode encode) : encode_(std::move(encode)) {}

  [[nodiscard]] const wire::frame& for_member(const member& to) {
    auto& known = frames_[to.version == wire::serializer::v2 ? 1 : 0];
    if (!known.made) {
      known.frame = encode_(to.version);
      known.made = true;
    }
    return known.frame;
  }

private:
  struct slot {
    bool made = false;
    wire::frame frame;
  };
  Encode encode_;
  std::array<slot, 2> frames_;
};

struct audience {
  std::string_view topic; ///< as clients spell it
  std::span<const member> members;
  std::vector<socket_number>* lost; ///< members whose sockets are found closed

  /// Null frames are for nobody.
  void push(const member& to, const wire::frame& what) const {
    if (what && !to.out->push(what))
      lost->push_back(to.socket);
  }

  /// A broadcast to all who hear them, but to the one who sent it only if it asked.
  void tell(const wire::app_broadcast& what, socket_number sender) const {
    auto frames = encoded{[&](wire::serializer version) {
      return wire::encode_broadcast(version, topic, what);
    }};
    for (const auto& to : members)
      if (to.broadcasts && (to.socket != sender || to.self))
        push(to, frames.for_member(to));
  }

  /// Null: it is no member.
  [[nodiscard]] const member* find(socket_number socket) const {
    const auto found = std::ranges::find(members, socket, &member::socket);
    return found == members.end() ? nullptr : &*found;
  }
};

} // namespace jessica::actors
