// What CHANGEFEED does about embeddings: hands their rows to INDEXER, in order, and
// tells it how far the log was read.
#pragma once

#include "actors/changefeed.hpp"

#include <chrono>
#include <memory>
#include <string_view>

namespace jessica::actors::changefeed_memory {

using self_pointer = changefeed_actor::stateful_pointer<changefeed_state>;
using held_snapshot = std::shared_ptr<storage::embedding_snapshot>;

/// The embeddings as they are where a stream begins; null without an INDEXER.
[[nodiscard]] result<held_snapshot> hold_embeddings(const changefeed_state& state,
                                                    std::string_view snapshot);
/// The stream has begun.
void begin_embeddings(self_pointer self, held_snapshot snapshot, lsn position);
/// The stream ended.
void lose_embeddings(self_pointer self);

/// A piece that was read and routed, up to there. When INDEXER is too far behind it is
/// told that it lost the feed, and of nothing more until it has caught up.
void hand_embeddings(self_pointer self,
                     const std::shared_ptr<const storage::feed_piece>& piece,
                     lsn position);
/// At the end of a turn: tells the position when it is wanted, else now and then. Asks
/// the server for it when it is wanted and not there.
[[nodiscard]] result<void> tell_read(self_pointer self);

/// Somebody waits for this place.
void hurry(self_pointer self, lsn place);
/// How long a turn may wait for the log.
[[nodiscard]] std::chrono::milliseconds patience_of(const changefeed_state& state);

} // namespace jessica::actors::changefeed_memory
