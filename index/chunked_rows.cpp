#include "index/chunked_rows.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace jessica::index {
namespace {

constexpr auto cache_line = std::align_val_t{64};
/// Most users have few pieces: their first chunk grows.
constexpr auto first_rows = std::size_t{4};

std::shared_ptr<std::byte> room_for(std::size_t bytes) {
  return {static_cast<std::byte*>(::operator new(bytes, cache_line)),
          [](std::byte* room) { ::operator delete(room, cache_line); }};
}

} // namespace

chunked_rows::chunked_rows(std::size_t row_bytes, std::span<const std::byte> rows,
                           std::shared_ptr<const void> owner)
    : row_bytes_{row_bytes}, size_{rows.size() / row_bytes}, bytes_{rows.size()} {
  for (auto row = std::size_t{0}; row < size_; row += chunk_rows) {
    first_.push_back(rows.data() + row * row_bytes);
    chunks_.push_back({owner, nullptr, std::min(chunk_rows, size_ - row)});
  }
}

void chunked_rows::reserve_one() {
  const auto used = size_ % chunk_rows;
  const auto there =
      used == 0 ? chunks_.size() * chunk_rows > size_
                : chunks_.back().room != nullptr && chunks_.back().capacity > used;
  if (there)
    return;
  const auto grows = used == 0 ? chunks_.empty() : chunks_.size() == 1;
  move_to(grows ? std::min(chunk_rows, std::max(first_rows, used * 2)) : chunk_rows);
}

std::byte* chunked_rows::append() {
  reserve_one();
  const auto place = size_++ % chunk_rows;
  return chunks_.back().room + place * row_bytes_;
}

/// The last chunk, or a further one when that is full.
void chunked_rows::move_to(std::size_t capacity) {
  const auto used = size_ % chunk_rows;
  auto memory = room_for(capacity * row_bytes_);
  if (used == 0) {
    first_.push_back(nullptr);
    try {
      chunks_.emplace_back();
    } catch (...) {
      first_.pop_back();
      throw;
    }
  } else {
    std::memcpy(memory.get(), first_.back(), used * row_bytes_);
  }
  bytes_ += (capacity - chunks_.back().capacity) * row_bytes_;
  const auto room = memory.get();
  first_.back() = room;
  chunks_.back() = {std::move(memory), room, capacity};
}

std::span<const std::byte> chunked_rows::run(std::size_t row) const noexcept {
  const auto end = std::min(size_, (row / chunk_rows + 1) * chunk_rows);
  if (row >= end)
    return {};
  return {(*this)[row], (end - row) * row_bytes_};
}

} // namespace jessica::index
