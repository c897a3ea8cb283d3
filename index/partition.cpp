#include "index/partition.hpp"

#include "index/checksum.hpp"

#include <algorithm>
#include <utility>

namespace jessica::index {
namespace {

/// Rows linked by one change: more than one, so that the graph catches up with the
/// rows.
constexpr auto linked_at_once = std::size_t{4};
/// Rows copied by one change where none has to be linked.
constexpr auto copied_at_once = std::size_t{1024};
/// Rows are copied without what is gone when that is a quarter of them, and so many.
constexpr auto gone_share = std::size_t{4};
constexpr auto gone_at_least = std::size_t{64};

bool much_is_gone(const piece_rows& rows) {
  return rows.gone() >= gone_at_least && rows.gone() * gone_share >= rows.size();
}

} // namespace

std::optional<std::shared_ptr<link_graph>> read_part(const unread_part& part) {
  if (checksum_of(part.bytes) != part.sum)
    return std::nullopt;
  if (!part.graph)
    return nullptr;
  auto graph = link_graph::opened(part.graph->levels, part.graph->links,
                                  part.graph->entry, part.file);
  if (!graph)
    return std::nullopt;
  return std::make_shared<link_graph>(std::move(*graph));
}

partition::partition(const vector_code& code, std::size_t graph_from)
    : code_{&code}, graph_from_{graph_from}, rows_{code} {}

partition::partition(const vector_code& code, std::size_t graph_from, piece_rows rows,
                     unread_part unread)
    : code_{&code},
      graph_from_{graph_from},
      rows_{std::move(rows)},
      unread_{std::move(unread)} {}

bool partition::check() {
  if (!unread_)
    return true;
  auto graph = read_part(*unread_);
  if (!graph)
    return false;
  rows_.take_graph(std::move(*graph));
  unread_.reset();
  return true;
}

bool partition::has(std::int64_t id) const noexcept {
  return rows_.row_of(id).has_value();
}

void partition::append(const embedded_piece& piece) {
  rows_.append(facts_of(piece), piece.vector, *code_);
}

bool partition::add(const embedded_piece& piece, graph_scratch& scratch) {
  append(piece);
  return work(scratch);
}

bool partition::remove(std::int64_t id, graph_scratch& scratch) {
  const auto row = rows_.row_of(id);
  if (row)
    rows_.mark_gone(*row);
  if (next_)
    if (const auto moved = next_->row_of(id))
      next_->mark_gone(*moved);
  return checked() && work(scratch);
}

std::vector<memory_hit> partition::find(const piece_question& question,
                                        graph_scratch& scratch) const {
  return search_pieces(rows_, question, scratch);
}

void partition::plan() {
  if (next_)
    return;
  if (!much_is_gone(rows_)) {
    if (!rows_.has_graph() && rows_.present() >= graph_from_)
      rows_.start_graph();
    return;
  }
  next_ = std::make_unique<piece_rows>(*code_);
  moved_ = 0;
  // Half, so that a user at the limit does not go back and forth.
  if (rows_.has_graph() && rows_.present() > graph_from_ / 2)
    next_->start_graph();
  if (rows_.whole_graph() == nullptr)
    rows_.take_graph(nullptr);
}

void partition::move_some(graph_scratch& scratch) {
  auto left = next_->has_graph() ? linked_at_once : copied_at_once;
  for (; left > 0 && moved_ < rows_.size(); ++moved_) {
    if (rows_.is_gone(moved_))
      continue;
    next_->append(rows_, moved_);
    --left;
  }
  next_->link_some(*code_, scratch, linked_at_once);
  if (moved_ < rows_.size())
    return;
  rows_ = std::move(*next_);
  next_.reset();
}

bool partition::has_work() const noexcept {
  const auto unlinked = rows_.has_graph() ? rows_.whole_graph() == nullptr
                                          : rows_.present() >= graph_from_;
  return unlinked || next_ != nullptr || much_is_gone(rows_);
}

bool partition::work(graph_scratch& scratch) {
  plan();
  const auto linking = rows_.link_some(*code_, scratch, linked_at_once);
  if (next_)
    move_some(scratch);
  return linking || next_ != nullptr;
}

std::optional<std::vector<float>> partition::vector_of(std::int64_t id) const {
  const auto row = rows_.row_of(id);
  return row ? std::optional{code_->decode(rows_.vector(*row))} : std::nullopt;
}

std::size_t partition::bytes() const noexcept {
  const auto on_disk = unread_ ? unread_->bytes.size() : 0;
  const auto rows = rows_.bytes();
  return rows - std::min(rows, on_disk) + (next_ ? next_->bytes() : 0);
}

} // namespace jessica::index
