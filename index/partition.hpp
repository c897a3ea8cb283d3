// The pieces of one user and what happens to them over time: they come and go, a graph
// is linked step by step, what is gone is left behind.
#pragma once

#include "index/piece_rows.hpp"
#include "index/piece_search.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace jessica::index {

struct unread_graph {
  std::span<const std::int32_t> levels;
  std::span<const std::int32_t> links;
  std::int32_t entry = -1;
};

/// The part of a file that holds a user's vectors and links; nobody looked at it yet.
struct unread_part {
  std::span<const std::byte> bytes;
  std::uint64_t sum = 0;
  std::shared_ptr<const void> file;
  std::optional<unread_graph> graph = {};
};

/// Compares the checksum, then opens the graph. nullopt: damaged. Null: there is no
/// graph. Any thread.
[[nodiscard]] std::optional<std::shared_ptr<link_graph>>
read_part(const unread_part& part);

/// Every change does a bounded part of what is outstanding, a millisecond or a few.
class partition {
public:
  partition(const vector_code& code, std::size_t graph_from);
  /// What a file has.
  partition(const vector_code& code, std::size_t graph_from, piece_rows rows,
            unread_part unread);

  /// Reads vectors and links once and compares their checksum; afterwards it costs
  /// nothing. False: damaged. Everything that reads a vector comes after it.
  [[nodiscard]] bool check();
  [[nodiscard]] bool checked() const noexcept { return !unread_; }

  /// The id must not be present; checked() must be. True: there is work left.
  bool add(const embedded_piece& piece, graph_scratch& scratch);
  /// The same, and nothing beside it: for many at once.
  void append(const embedded_piece& piece);
  /// The id must be present. True: there is work left.
  bool remove(std::int64_t id, graph_scratch& scratch);
  [[nodiscard]] std::vector<memory_hit> find(const piece_question& question,
                                             graph_scratch& scratch) const;
  /// checked() must be.
  [[nodiscard]] bool has_work() const noexcept;
  /// Does a part of what is outstanding; false: nothing is.
  bool work(graph_scratch& scratch);

  [[nodiscard]] bool has(std::int64_t id) const noexcept;
  [[nodiscard]] std::optional<std::vector<float>> vector_of(std::int64_t id) const;
  [[nodiscard]] std::size_t pieces() const noexcept { return rows_.present(); }
  [[nodiscard]] std::size_t bytes() const noexcept;
  void append_ids(std::vector<embedding_id>& to) const { rows_.append_ids(to); }

  struct frozen {
    frozen_rows rows;
    std::optional<unread_part> unread; ///< to be checked before it is copied
  };
  [[nodiscard]] frozen freeze() const { return {rows_.frozen(), unread_}; }

private:
  void plan();
  void move_some(graph_scratch& scratch);

  const vector_code* code_;
  std::size_t graph_from_;
  piece_rows rows_;
  std::optional<unread_part> unread_;
  /// What takes the place of rows_ once all that is present has moved there.
  std::unique_ptr<piece_rows> next_;
  std::size_t moved_ = 0; ///< rows of rows_ that next_ has seen
};

} // namespace jessica::index
