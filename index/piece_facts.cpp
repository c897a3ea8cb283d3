#include "index/piece_facts.hpp"

#include <limits>

namespace jessica::index {
namespace {

std::int64_t microseconds(timestamp at) noexcept {
  return at.time_since_epoch().count();
}

} // namespace

piece_facts facts_of(const embedded_piece& piece) noexcept {
  return {.id = piece.id.value,
          .said_at = microseconds(piece.said_at),
          .conversation = piece.conversation.value,
          .message = piece.message.value,
          .role = piece.role};
}

piece_filter::piece_filter(const memory_filter& filter) noexcept
    : wanted_{filter},
      since_{filter.since ? microseconds(*filter.since)
                          : std::numeric_limits<std::int64_t>::min()},
      before_{filter.before ? microseconds(*filter.before)
                            : std::numeric_limits<std::int64_t>::max()},
      open_{!filter.conversation && !filter.not_conversation && !filter.role &&
            !filter.since && !filter.before} {}

bool piece_filter::passes_all(const piece_facts& piece) const noexcept {
  if (piece.said_at < since_ || (wanted_.before && piece.said_at >= before_))
    return false;
  if (wanted_.role && piece.role != *wanted_.role)
    return false;
  if (wanted_.conversation && piece.conversation != wanted_.conversation->value)
    return false;
  return !wanted_.not_conversation ||
         piece.conversation != wanted_.not_conversation->value;
}

} // namespace jessica::index
