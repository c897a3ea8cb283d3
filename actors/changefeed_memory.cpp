#include "actors/changefeed_memory.hpp"

#include "actors/errors.hpp"
#include "ops/log.hpp"
#include "storage/embedding_rows.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace jessica::actors::changefeed_memory {
namespace {

using clock = std::chrono::steady_clock;

/// A place that nobody waits for is told this often.
constexpr auto told_every = std::chrono::seconds{1};
/// Who waits longer for a place asks again.
constexpr auto hurry_time = std::chrono::seconds{5};
constexpr auto asked_every = std::chrono::milliseconds{20};
constexpr auto short_turn = std::chrono::milliseconds{5};
constexpr auto any_turn = std::chrono::milliseconds::max();

/// Bytes of rows of embeddings; at least 1 when there is anything for INDEXER.
[[nodiscard]] std::size_t embedding_bytes(const storage::feed_piece& piece) {
  auto bytes = std::size_t{0};
  for (const auto& event : piece.events)
    if (const auto* row = std::get_if<storage::row_change>(&event)) {
      if (storage::is_embeddings(*row->table()))
        bytes += row->size_bytes();
    } else if (const auto* emptied = std::get_if<storage::tables_truncated>(&event)) {
      bytes += std::ranges::any_of(
                   emptied->tables,
                   [](const auto& table) { return storage::is_embeddings(*table); })
                   ? 1
                   : 0;
    }
  return bytes;
}

/// Is it behind, too far to be told of rows? The log is everybody's: it does not wait.
[[nodiscard]] bool skips(self_pointer self) {
  auto& told = self->state.indexed;
  if (told.skips)
    return told.skips = told.bytes > 0;
  if (told.bytes < self->state.deps.indexer_bytes)
    return false;
  ops::warn("memory.log_skipped", {{"bytes", told.bytes}});
  self->send(self->state.deps.indexer, feed_lost{});
  return told.skips = true;
}

[[nodiscard]] bool is_wanted(const changefeed_state& state) {
  return state.indexed.wanted > state.indexed.position &&
         clock::now() < state.indexed.wanted_until;
}

} // namespace

result<held_snapshot> hold_embeddings(const changefeed_state& state,
                                      std::string_view snapshot) {
  if (!state.deps.indexer)
    return nullptr;
  return storage::embedding_snapshot::open(state.deps.database, snapshot)
      .transform([](auto made) {
        return std::make_shared<storage::embedding_snapshot>(std::move(made));
      });
}

void begin_embeddings(self_pointer self, held_snapshot snapshot, lsn position) {
  auto& state = self->state;
  if (!state.deps.indexer)
    return;
  state.indexed.position = position;
  state.indexed.at = clock::now();
  state.indexed.skips = false; // it compares itself now
  self->send(state.deps.indexer,
             feed_begun{std::move(snapshot), position, changefeed_actor{self}});
}

void lose_embeddings(self_pointer self) {
  if (self->state.deps.indexer)
    self->send(self->state.deps.indexer, feed_lost{});
}

void hand_embeddings(self_pointer self,
                     const std::shared_ptr<const storage::feed_piece>& piece,
                     lsn position) {
  auto& state = self->state;
  if (!state.deps.indexer)
    return;
  const auto bytes = embedding_bytes(*piece);
  if (bytes == 0 || skips(self))
    return;
  state.indexed.bytes += bytes;
  state.indexed.position = position;
  self->request(state.deps.indexer, caf::infinite, embeddings_logged{piece, position})
      .then([self, bytes](done) { self->state.indexed.bytes -= bytes; },
            // INDEXER is started anew and compares: what this told is not lost.
            [self, bytes](const caf::error& why) {
              self->state.indexed.bytes -= bytes;
              ops::warn("memory.log_not_taken", {{"cause", from_caf(why).what}});
            });
}

result<void> tell_read(self_pointer self) {
  auto& state = self->state;
  if (!state.deps.indexer || skips(self))
    return {};
  auto& told = state.indexed;
  const auto now = clock::now();
  const auto position = state.stream->position();
  if (position > told.position && (is_wanted(state) || now - told.at >= told_every)) {
    told.position = position;
    told.at = now;
    self->send(state.deps.indexer, log_read{position});
  }
  if (!is_wanted(state) || now - told.asked_at < asked_every)
    return {};
  told.asked_at = now;
  return state.stream->ask_position();
}

void hurry(self_pointer self, lsn place) {
  auto& told = self->state.indexed;
  told.wanted = std::max(is_wanted(self->state) ? told.wanted : lsn{}, place);
  told.wanted_until = clock::now() + hurry_time;
}

std::chrono::milliseconds patience_of(const changefeed_state& state) {
  return is_wanted(state) ? short_turn : any_turn;
}

} // namespace jessica::actors::changefeed_memory
