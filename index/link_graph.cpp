#include "index/link_graph.hpp"

#include <faiss/impl/DistanceComputer.h>

#include <algorithm>
#include <cmath>

namespace jessica::index {
namespace {

/// Links of a row on each level but the lowest, which has twice as many. With 512
/// dimensions more of them cost memory and bring no recall; see docs/decisions.
constexpr auto links_of_row = 16;
/// How many candidates linking looks at.
constexpr auto linking_effort = 100;

/// Distances between our rows, for FAISS: the smaller, the closer.
///
/// Linking keeps a candidate unless one that is kept lies nearer to it than the new row
/// does. Of equal vectors ("ok", "thanks") none would be nearer: they would fill each
/// other's links, and no walk would find a way out. So an equal row counts as a little
/// further away than it is, which leaves one of them, and any other as a little nearer,
/// so that the one left does not replace it. Which one is left differs from row to row:
/// else all would fill the links of one.
class row_distances final : public faiss::DistanceComputer {
public:
  row_distances(const graph_rows& vectors, faiss::idx_t row)
      : vectors_{vectors},
        number_{static_cast<std::uint32_t>(row)},
        row_{at(row)},
        own_{vectors.code.between(row_, row_)},
        little_{std::abs(own_) * rounding} {}

  void set_query(const float* /*vector*/) override {} // it is a row
  float operator()(faiss::idx_t row) override {
    const auto near = vectors_.code.between(row_, at(row));
    return near < own_ - little_ ? -near - little_
                                 : -own_ + little_ * (1 + share_of(row));
  }
  float symmetric_dis(faiss::idx_t a, faiss::idx_t b) override {
    return -vectors_.code.between(at(a), at(b));
  }

private:
  /// What two vectors that are equal may differ by.
  static constexpr auto rounding = 1e-6F;

  /// From 0 to 1, another for each pair of rows.
  [[nodiscard]] float share_of(faiss::idx_t row) const noexcept {
    const auto mixed =
        (static_cast<std::uint32_t>(row) ^ number_ * 0x9E37'79B9U) * 0x85EB'CA6BU;
    return static_cast<float>(mixed >> 8U) / static_cast<float>(1U << 24U);
  }
  [[nodiscard]] const std::byte* at(faiss::idx_t row) const {
    return vectors_.rows[static_cast<std::size_t>(row)];
  }

  const graph_rows& vectors_;
  std::uint32_t number_;
  const std::byte* row_;
  float own_;
  float little_;
};

/// A copy that may grow by an eighth before it has to move: a vector that is full moves
/// to twice its size.
template <class T> std::vector<T> with_room(std::span<const T> all) {
  auto made = std::vector<T>{};
  made.reserve(all.size() + all.size() / 8);
  made.assign(all.begin(), all.end());
  return made;
}

} // namespace

void graph_scratch::prepare(std::size_t rows) {
  if (visited.visited.size() < rows)
    visited.visited.resize(std::max(rows, visited.visited.size() * 2), 0);
  while (locks.size() < rows)
    omp_init_lock(&locks.emplace_back());
  visited.advance();
}

link_graph::link_graph() : hnsw_{links_of_row} {
  hnsw_.efConstruction = linking_effort;
}

result<link_graph> link_graph::opened(std::span<const std::int32_t> levels,
                                      std::span<const std::int32_t> links,
                                      std::int32_t entry,
                                      std::shared_ptr<const void> owner) {
  auto made = link_graph{};
  auto& hnsw = made.hnsw_;
  const auto rows = static_cast<std::int32_t>(levels.size());
  const auto most = static_cast<std::int32_t>(hnsw.cum_nneighbor_per_level.size()) - 1;
  hnsw.levels.assign(levels.begin(), levels.end());
  hnsw.offsets.reserve(levels.size() + 1);
  for (const auto level : levels) {
    if (level < 1 || level > most)
      return fail(errc::invalid_input, "a row's level is out of range");
    hnsw.offsets.push_back(hnsw.offsets.back() +
                           static_cast<std::size_t>(hnsw.cum_nb_neighbors(level)));
  }
  const auto inside = [&](std::int32_t row) { return row >= -1 && row < rows; };
  if (hnsw.offsets.back() != links.size() || !inside(entry) ||
      !std::ranges::all_of(links, inside))
    return fail(errc::invalid_input, "links lead out of the graph");
  hnsw.entry_point = entry;
  hnsw.max_level = entry < 0 ? -1 : levels[static_cast<std::size_t>(entry)] - 1;
  // Only read: link() takes a copy first.
  hnsw.neighbors = faiss::MaybeOwnedVector<std::int32_t>::create_view(
      const_cast<std::int32_t*>(links.data()), links.size(), nullptr);
  made.file_ = std::move(owner);
  return made;
}

std::shared_ptr<link_graph> link_graph::copy() const {
  auto made = std::make_shared<link_graph>();
  auto& hnsw = made->hnsw_;
  hnsw.levels = with_room<int>(hnsw_.levels);
  hnsw.offsets = with_room<std::size_t>(hnsw_.offsets);
  hnsw.neighbors = with_room(links());
  hnsw.entry_point = hnsw_.entry_point;
  hnsw.max_level = hnsw_.max_level;
  hnsw.rng = hnsw_.rng;
  return made;
}

void link_graph::own_links() {
  if (hnsw_.neighbors.is_owned)
    return;
  hnsw_.neighbors = with_room(links());
  file_ = nullptr;
}

std::size_t link_graph::bytes() const noexcept {
  const auto& neighbors = hnsw_.neighbors;
  const auto links =
      neighbors.is_owned ? neighbors.owned_data.capacity() : neighbors.size();
  return links * sizeof(std::int32_t) + hnsw_.levels.capacity() * sizeof(int) +
         hnsw_.offsets.capacity() * sizeof(std::size_t);
}

std::span<const std::int32_t> link_graph::levels() const noexcept {
  return hnsw_.levels;
}

std::span<const std::int32_t> link_graph::links() const noexcept {
  return {hnsw_.neighbors.data(), hnsw_.neighbors.size()};
}

void link_graph::link(const graph_rows& vectors, graph_scratch& scratch) {
  const auto row = static_cast<int>(rows());
  skip();
  scratch.prepare(rows());
  auto distances = row_distances{vectors, row};
  hnsw_.add_with_locks(distances, hnsw_.levels.back() - 1, row, scratch.locks,
                       scratch.visited);
}

void link_graph::skip() {
  own_links();
  hnsw_.prepare_level_tab(1);
}

std::span<const std::int32_t> link_graph::links_of(std::int32_t row,
                                                   int level) const noexcept {
  auto begin = std::size_t{0};
  auto end = std::size_t{0};
  hnsw_.neighbor_range(row, level, &begin, &end);
  return links().subspan(begin, end - begin);
}

} // namespace jessica::index
