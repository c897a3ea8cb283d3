// Members of a CHANNEL that read more slowly than a reply grows: they get its deltas
// merged, so that what waits for them is the text and not a frame a token.
#pragma once

#include "actors/room_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace jessica::actors {

/// Where a delta begins in its reply.
struct delta_start {
  std::uint64_t first_seq = 1;
  std::size_t offset = 0; ///< bytes of the reply's text before it

  friend bool operator==(const delta_start&, const delta_start&) = default;
};

/// One CHANNEL's. Keeps nothing of members that keep up.
class slow_readers {
public:
  /// From when on a member is slow, and from when on it is not any more: bytes that
  /// wait for its socket.
  static constexpr auto slow_above = std::size_t{32'768};
  static constexpr auto quick_below = std::size_t{8'192};

  struct mark {
    socket_number socket = 0;
    message_id reply;
    delta_start from;
  };

  /// The reply grew from `now` on: the delta the member gets must begin at what is
  /// returned, which is earlier when it was slow until now. Nothing: it has to wait.
  [[nodiscard]] std::optional<delta_start> next(const member& to, message_id reply,
                                                delta_start now);
  /// Who lacks what of a reply that ends; forgotten here.
  [[nodiscard]] std::vector<mark> take(message_id reply);
  void forget(socket_number socket);

private:
  std::vector<mark> marks_;
};

} // namespace jessica::actors
