// The interfaces and messages of memory: INDEXER brings the rows of embeddings to the
// SEARCH shards, MEMORY answers questions. Not in protocol.hpp: few actors know them.
#pragma once

#include "actors/messages.hpp"
#include "actors/protocol.hpp"
#include "domain/identity.hpp"
#include "domain/memory_search.hpp"
#include "index/vector_index.hpp"
#include "storage/embedding_snapshot.hpp"
#include "storage/memory_search.hpp"
#include "storage/wal_stream.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace jessica::actors {

// --- INDEXER -------------------------------------------------------------------------

/// CHANGEFEED: a stream begins where this snapshot is.
struct feed_begun {
  std::shared_ptr<storage::embedding_snapshot> snapshot;
  lsn position;
  changefeed_actor from;
};
/// CHANGEFEED: what is written from now on is not told, until it tells something again.
struct feed_lost {};
/// CHANGEFEED: a piece of the log with rows of embeddings, in commit order.
struct embeddings_logged {
  std::shared_ptr<const storage::feed_piece> what;
  lsn position; ///< all before it was told
};
/// CHANGEFEED: nothing of embeddings lies between the last piece and here.
struct log_read {
  lsn position;
};
/// CHANGEFEED: searches may go by another model now.
struct models_changed {};
/// INDEXER to itself: a try that failed is due again; more rows are to be fetched.
struct look_again {};
struct fetch_more {};
/// SEARCH: this user's pieces are wanted in memory again; they come as restore_user,
/// before or after the answer. When that is an error they do not come.
struct bring_user {
  user_id user;
};

/// INDEXER keeps the node's shards equal to the table: compares ids when a feed begins,
/// fetches what is missing, then follows the log. Detached, blocks on the database.
using indexer_actor =
    caf::typed_actor<caf::reacts_to<feed_begun>, caf::reacts_to<feed_lost>,
                     // Answered when the shards have them.
                     caf::replies_to<embeddings_logged>::with<done>,
                     caf::reacts_to<log_read>, caf::reacts_to<models_changed>,
                     caf::reacts_to<look_again>, caf::reacts_to<fetch_more>,
                     // Passed on to CHANGEFEED.
                     caf::reacts_to<hurry_to>,
                     // Fails: unavailable.
                     caf::replies_to<bring_user>::with<done>>;

// --- SEARCH --------------------------------------------------------------------------

/// INDEXER: these are all rows of the model that this shard shall have. What it has
/// beyond them it drops; what it lacks it answers.
struct match_rows {
  memory_model model;
  std::shared_ptr<const std::vector<owned_embedding>> there; ///< ascending by id
  indexer_actor from;
};
struct rows_missing {
  std::vector<embedding_id> ids;
};
/// INDEXER: rows that were missing.
struct put_pieces {
  std::vector<embedded_piece> pieces;
};
/// All rows are gone.
struct table_emptied {};
using piece_change = std::variant<embedded_piece, owned_embedding, table_emptied>;
/// INDEXER: what the log says, in order. An owned_embedding is a row that was removed.
struct change_pieces {
  std::vector<piece_change> changes;
  lsn position;
};
/// INDEXER: everything up to this place is here; searches may be answered.
struct advance_to {
  lsn position;
};
/// INDEXER: what is here is not known to be complete.
struct lose_place {};
/// INDEXER: all pieces of a user that was dropped from memory.
struct restore_user {
  user_id user;
  std::vector<embedded_piece> pieces;
};

struct find_pieces {
  user_id user;
  std::string model; ///< of the query; empty: that of the index
  std::shared_ptr<const std::vector<float>> query;
  memory_filter filter;
  std::size_t k = 8;
  float min_score = -1;
  lsn after;                       ///< wait until this place was read
  std::chrono::milliseconds limit; ///< of all waiting
};
struct pieces_found {
  std::vector<memory_hit> hits;
};

struct describe_shard {};
struct shard_state {
  memory_model model;
  bool complete = false;
  lsn position;
  index::index_size size;
};
/// The rows a shard has, and how they are stored: for a comparison with the table.
struct list_rows {};
struct rows_listed {
  std::vector<owned_embedding> rows;
};

/// SEARCH to itself.
struct save_index {};
struct look_at_waiting {};
struct work_on {}; ///< the index has something to do when nothing comes

/// SEARCH holds the vectors of a share of the users. Detached: a search of many pieces
/// takes a millisecond and more.
using search_actor = caf::typed_actor<
    caf::replies_to<match_rows>::with<rows_missing>,
    // These fail with unavailable (reason not_matched) before the first match_rows: the
    // actor was started anew.
    caf::replies_to<put_pieces>::with<done>, caf::replies_to<change_pieces>::with<done>,
    caf::replies_to<advance_to>::with<done>, caf::reacts_to<lose_place>,
    caf::reacts_to<restore_user>,
    // Fails: unavailable (reason index_incomplete: ask the database; the rows are not
    // all here, or another model's, or were dropped and did not come back in time);
    // timeout (reason position_not_reached); overloaded (too many wait); invalid_input
    // (the vector's size).
    caf::replies_to<find_pieces>::with<pieces_found>,
    caf::replies_to<describe_shard>::with<shard_state>,
    caf::replies_to<list_rows>::with<rows_listed>, caf::reacts_to<save_index>,
    caf::reacts_to<look_at_waiting>, caf::reacts_to<work_on>>;

/// FILER writes the shards' files. Detached.
struct write_index {
  std::shared_ptr<const index::vector_index::snapshot> what;
  std::filesystem::path file;
};
using filer_actor = caf::typed_actor<caf::replies_to<write_index>::with<done>>;

/// Which of `shards` has a user's pieces.
[[nodiscard]] inline std::size_t shard_of(const user_id& user,
                                          std::size_t shards) noexcept {
  auto tail = std::uint64_t{0}; // random in ids of either kind
  for (auto i = std::size_t{8}; i < user.value.bytes.size(); ++i)
    tail = tail << 8U | user.value.bytes[i];
  return static_cast<std::size_t>(tail % shards);
}

// --- MEMORY READER -------------------------------------------------------------------

struct read_memories {
  storage::memory_owner whose;
  std::vector<storage::memory_place> places;
};
struct memories_read {
  std::vector<storage::memory_text> texts;
};
struct nearest_in_table {
  storage::memory_owner whose;
  std::string model;
  std::shared_ptr<const std::vector<float>> query;
  memory_filter filter;
  std::size_t k = 8;
  float min_score = -1;
};
struct match_words {
  storage::memory_owner whose;
  std::string text;
  memory_filter filter;
  std::size_t k = 8;
};
struct words_matched {
  std::vector<storage::worded_memory> found;
};

/// MEMORY READER asks row security about memories. Detached, in a POOL.
using memory_reader_actor =
    caf::typed_actor<caf::replies_to<read_memories>::with<memories_read>,
                     caf::replies_to<nearest_in_table>::with<pieces_found>,
                     caf::replies_to<match_words>::with<words_matched>,
                     caf::replies_to<are_you_free>::with<done>>;

// --- MEMORY --------------------------------------------------------------------------

struct search_memory {
  storage::memory_owner whose;
  memory_question what;
};
struct memories_found {
  std::vector<found_memory> found; ///< best first
};

/// INFERENCE: what may help to answer this text?
struct recall_memories {
  user_id user;
  std::string text;
  std::vector<message_id> shown; ///< the engine is given these anyway
};

/// MEMORY answers questions: has texts embedded, asks SEARCH or the database, fetches
/// what was found as its owner.
using memory_actor = caf::typed_actor<
    // Fails: overloaded; unavailable (reason no_embedder: there is no model for texts);
    // timeout (reason position_not_reached); invalid_input.
    caf::replies_to<search_memory>::with<memories_found>,
    // Only what is over the model's threshold, as much as a prompt may have.
    caf::replies_to<recall_memories>::with<memories_found>>;

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::actors::feed_begun)
JESSICA_LOCAL_MESSAGE(jessica::actors::feed_lost)
JESSICA_LOCAL_MESSAGE(jessica::actors::embeddings_logged)
JESSICA_LOCAL_MESSAGE(jessica::actors::log_read)
JESSICA_LOCAL_MESSAGE(jessica::actors::models_changed)
JESSICA_LOCAL_MESSAGE(jessica::actors::look_again)
JESSICA_LOCAL_MESSAGE(jessica::actors::fetch_more)
JESSICA_LOCAL_MESSAGE(jessica::actors::bring_user)
JESSICA_LOCAL_MESSAGE(jessica::actors::match_rows)
JESSICA_LOCAL_MESSAGE(jessica::actors::rows_missing)
JESSICA_LOCAL_MESSAGE(jessica::actors::put_pieces)
JESSICA_LOCAL_MESSAGE(jessica::actors::change_pieces)
JESSICA_LOCAL_MESSAGE(jessica::actors::advance_to)
JESSICA_LOCAL_MESSAGE(jessica::actors::lose_place)
JESSICA_LOCAL_MESSAGE(jessica::actors::restore_user)
JESSICA_LOCAL_MESSAGE(jessica::actors::find_pieces)
JESSICA_LOCAL_MESSAGE(jessica::actors::pieces_found)
JESSICA_LOCAL_MESSAGE(jessica::actors::describe_shard)
JESSICA_LOCAL_MESSAGE(jessica::actors::shard_state)
JESSICA_LOCAL_MESSAGE(jessica::actors::list_rows)
JESSICA_LOCAL_MESSAGE(jessica::actors::rows_listed)
JESSICA_LOCAL_MESSAGE(jessica::actors::save_index)
JESSICA_LOCAL_MESSAGE(jessica::actors::look_at_waiting)
JESSICA_LOCAL_MESSAGE(jessica::actors::work_on)
JESSICA_LOCAL_MESSAGE(jessica::actors::write_index)
JESSICA_LOCAL_MESSAGE(jessica::actors::read_memories)
JESSICA_LOCAL_MESSAGE(jessica::actors::memories_read)
JESSICA_LOCAL_MESSAGE(jessica::actors::nearest_in_table)
JESSICA_LOCAL_MESSAGE(jessica::actors::match_words)
JESSICA_LOCAL_MESSAGE(jessica::actors::words_matched)
JESSICA_LOCAL_MESSAGE(jessica::actors::search_memory)
JESSICA_LOCAL_MESSAGE(jessica::actors::memories_found)
JESSICA_LOCAL_MESSAGE(jessica::actors::recall_memories)
#undef JESSICA_LOCAL_MESSAGE
