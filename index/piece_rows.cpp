#include "index/piece_rows.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace jessica::index {
namespace {

/// One more fits, at the usual pace.
template <class T> void grow(std::vector<T>& some) {
  constexpr auto first = std::size_t{4};
  if (some.size() == some.capacity())
    some.reserve(std::max(first, some.size() * 2));
}

} // namespace

piece_rows::piece_rows(const vector_code& code)
    : facts_{sizeof(piece_facts)},
      vectors_{code.row_bytes()},
      sketches_{code.sketches().row_bytes()} {}

piece_rows::piece_rows(chunked_rows facts, chunked_rows vectors, chunked_rows sketches,
                       std::vector<std::uint8_t> gone)
    : facts_{std::move(facts)},
      vectors_{std::move(vectors)},
      sketches_{std::move(sketches)},
      gone_{std::move(gone)} {
  gone_count_ = static_cast<std::size_t>(
      std::ranges::count_if(gone_, [](std::uint8_t flag) { return flag != 0; }));
  places_.reserve(size());
  for (auto row = std::size_t{0}; row < size(); ++row)
    places_.push_back({this->facts(row).id, static_cast<std::uint32_t>(row)});
  if (!std::ranges::is_sorted(places_, {}, &place::id))
    std::ranges::stable_sort(places_, {}, &place::id);
}

std::size_t piece_rows::bytes() const noexcept {
  return facts_.bytes() + vectors_.bytes() + sketches_.bytes() + gone_.size() +
         places_.size() * sizeof(place) + (graph_ ? graph_->bytes() : 0);
}

std::vector<piece_rows::place>::const_iterator
piece_rows::lower(std::int64_t id) const noexcept {
  return std::ranges::lower_bound(places_, id, {}, &place::id);
}

std::optional<std::size_t> piece_rows::row_of(std::int64_t id) const noexcept {
  for (auto at = lower(id); at != places_.end() && at->id == id; ++at)
    if (!is_gone(at->row))
      return at->row;
  return std::nullopt;
}

void piece_rows::append_ids(std::vector<embedding_id>& to) const {
  for (const auto& [id, row] : places_)
    if (!is_gone(row))
      to.push_back(embedding_id{id});
}

/// What fills the new row in cannot fail: no row is there by half.
void piece_rows::append(const piece_facts& facts) {
  if (!gone_.empty())
    grow(gone_);
  grow(places_);
  facts_.reserve_one();
  vectors_.reserve_one();
  sketches_.reserve_one();
  std::memcpy(facts_.append(), &facts, sizeof facts);
  if (!gone_.empty())
    gone_.push_back(0);
  const auto row = static_cast<std::uint32_t>(size() - 1);
  const auto after = std::ranges::upper_bound(places_, facts.id, {}, &place::id);
  places_.insert(after, {facts.id, row});
}

void piece_rows::append(const piece_facts& facts, std::span<const float> vector,
                        const vector_code& code) {
  append(facts);
  code.encode(vector, vectors_.append());
  code.sketches().encode(vector, sketches_.append());
}

void piece_rows::append(const piece_rows& from, std::size_t row) {
  append(from.facts(row));
  std::memcpy(vectors_.append(), from.vectors_[row], vectors_.row_bytes());
  std::memcpy(sketches_.append(), from.sketches_[row], sketches_.row_bytes());
}

void piece_rows::mark_gone(std::size_t row) {
  if (is_gone(row))
    return;
  gone_.resize(size(), 0);
  gone_[row] = 1;
  ++gone_count_;
}

void piece_rows::start_graph() {
  take_graph(std::make_shared<link_graph>());
}

const link_graph* piece_rows::whole_graph() const noexcept {
  return graph_ && graph_->rows() == size() ? graph_.get() : nullptr;
}

bool piece_rows::link_some(const vector_code& code, graph_scratch& scratch,
                           std::size_t most) {
  if (!graph_ || graph_->rows() == size())
    return false;
  // Whether the snapshot is written by now is not asked: the answer would need a lock.
  if (std::exchange(graph_is_shared_, false))
    graph_ = graph_->copy();
  const auto rows = graph_rows{code, vectors_};
  for (; most > 0 && graph_->rows() < size(); --most)
    if (is_gone(graph_->rows()))
      graph_->skip();
    else
      graph_->link(rows, scratch);
  return graph_->rows() < size();
}

frozen_rows piece_rows::frozen() const {
  const auto whole = whole_graph() != nullptr;
  graph_is_shared_ = graph_is_shared_ || whole;
  return {facts_, vectors_, sketches_, gone_, whole ? graph_ : nullptr};
}

} // namespace jessica::index
