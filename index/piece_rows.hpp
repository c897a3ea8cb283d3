// The pieces of one user in memory: facts, vectors, which are gone, and a graph over
// them when there are many.
#pragma once

#include "index/chunked_rows.hpp"
#include "index/link_graph.hpp"
#include "index/piece_facts.hpp"
#include "index/vector_code.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace jessica::index {

/// Rows that are fetched while one is read.
inline constexpr auto fetched_ahead = std::size_t{4};

/// What a snapshot has of a user's rows; may be read by another thread.
struct frozen_rows {
  chunked_rows facts;
  chunked_rows vectors;
  chunked_rows sketches;
  std::vector<std::uint8_t> gone;          ///< one for each row; empty: none is
  std::shared_ptr<const link_graph> graph; ///< over all rows, or null
};

/// Rows are appended and marked as gone, never changed: a copy for a snapshot costs
/// next to nothing.
class piece_rows {
public:
  explicit piece_rows(const vector_code& code);
  /// What a file holds. `gone` may be empty: none is.
  piece_rows(chunked_rows facts, chunked_rows vectors, chunked_rows sketches,
             std::vector<std::uint8_t> gone);

  [[nodiscard]] std::size_t size() const noexcept { return facts_.size(); }
  [[nodiscard]] std::size_t gone() const noexcept { return gone_count_; }
  [[nodiscard]] std::size_t present() const noexcept { return size() - gone_count_; }
  [[nodiscard]] std::size_t bytes() const noexcept;

  [[nodiscard]] const piece_facts& facts(std::size_t row) const noexcept {
    return *reinterpret_cast<const piece_facts*>(facts_[row]);
  }
  [[nodiscard]] const std::byte* vector(std::size_t row) const noexcept {
    return vectors_[row];
  }
  /// Asks memory for what a search reads of a row; it will be read soon. The processor
  /// fetches the rest of a vector by itself once it saw its beginning.
  void fetch(std::size_t row) const noexcept {
    constexpr auto beginning = std::size_t{512};
    constexpr auto line = std::size_t{64};
    for (auto at = std::size_t{0}; at < std::min(beginning, vectors_.row_bytes());
         at += line)
      __builtin_prefetch(vectors_[row] + at);
    __builtin_prefetch(facts_[row]);
  }
  [[nodiscard]] bool is_gone(std::size_t row) const noexcept {
    return gone_count_ != 0 && gone_[row] != 0;
  }
  [[nodiscard]] const chunked_rows& all_facts() const noexcept { return facts_; }
  [[nodiscard]] const chunked_rows& all_vectors() const noexcept { return vectors_; }
  [[nodiscard]] const chunked_rows& all_sketches() const noexcept { return sketches_; }
  /// One for each row; empty: none is gone.
  [[nodiscard]] const std::vector<std::uint8_t>& gone_rows() const noexcept {
    return gone_;
  }
  /// The row of a piece that is present.
  [[nodiscard]] std::optional<std::size_t> row_of(std::int64_t id) const noexcept;
  void append_ids(std::vector<embedding_id>& to) const;

  /// The row is there, and not in the graph yet. The id must not be present.
  void append(const piece_facts& facts, std::span<const float> vector,
              const vector_code& code);
  /// The same with a row of others.
  void append(const piece_rows& from, std::size_t row);
  void mark_gone(std::size_t row);

  /// A graph to be linked by link_some.
  void start_graph();
  /// One that is there already; null: none.
  void take_graph(std::shared_ptr<link_graph> graph) noexcept {
    graph_ = std::move(graph);
    graph_is_shared_ = false;
  }
  [[nodiscard]] bool has_graph() const noexcept { return graph_ != nullptr; }
  /// Null until all rows are linked.
  [[nodiscard]] const link_graph* whole_graph() const noexcept;
  /// Links at most `most` rows; false: all are.
  bool link_some(const vector_code& code, graph_scratch& scratch, std::size_t most);

  /// The rows as they are now: they stay so. Costs a pointer for 256 rows, and later a
  /// copy of the links when another row is linked.
  [[nodiscard]] frozen_rows frozen() const;

private:
  struct place {
    std::int64_t id;
    std::uint32_t row;
  };
  void append(const piece_facts& facts);
  [[nodiscard]] std::vector<place>::const_iterator
  lower(std::int64_t id) const noexcept;

  chunked_rows facts_;
  chunked_rows vectors_;
  chunked_rows sketches_;
  std::vector<std::uint8_t> gone_;
  std::size_t gone_count_ = 0;
  std::vector<place> places_; ///< ascending; ids come nearly so
  std::shared_ptr<link_graph> graph_;
  mutable bool graph_is_shared_ = false;
};

} // namespace jessica::index
