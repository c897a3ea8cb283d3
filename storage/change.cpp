#include "storage/change.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace jessica::storage {
namespace {

std::size_t text_size(std::span<const field> fields) {
  auto size = std::size_t{0};
  for (const auto& one : fields) {
    size += one.text.size();
  }
  return size;
}

field_slot keep(const field& one, std::string& bytes) {
  const auto slot = field_slot{static_cast<std::uint32_t>(bytes.size()),
                               static_cast<std::uint32_t>(one.text.size()), one.state};
  bytes += one.text;
  return slot;
}

} // namespace

std::optional<std::size_t> table_shape::find(std::string_view column) const noexcept {
  const auto found = std::ranges::find(columns, column, &table_column::name);
  return found == columns.end()
             ? std::nullopt
             : std::optional{static_cast<std::size_t>(found - columns.begin())};
}

field row_view::at(std::size_t column) const noexcept {
  if (column >= slots_.size()) {
    return {};
  }
  const auto& slot = slots_[column];
  return {slot.state, bytes_.substr(slot.offset, slot.length)};
}

field row_view::at(std::string_view column) const noexcept {
  const auto found = table_->find(column);
  return found ? at(*found) : field{};
}

std::optional<std::string_view> row_view::text(std::string_view column) const noexcept {
  const auto found = at(column);
  return found.state == field_state::text ? std::optional{found.text} : std::nullopt;
}

row_change::row_change(change_kind kind, std::shared_ptr<const table_shape> table,
                       std::span<const field> row, old_row known,
                       std::span<const field> old)
    : kind_{kind},
      known_{known},
      row_fields_{static_cast<std::uint32_t>(row.size())},
      table_{std::move(table)} {
  slots_.reserve(row.size() + old.size());
  bytes_.reserve(text_size(row) + text_size(old));
  for (const auto& one : row) {
    slots_.push_back(keep(one, bytes_));
  }
  for (auto i = std::size_t{0}; i < old.size(); ++i) {
    const auto told = old[i].state != field_state::unchanged &&
                      (known == old_row::full ||
                       (i < table_->columns.size() && table_->columns[i].key));
    slots_.push_back(told ? keep(old[i], bytes_) : field_slot{});
    const auto same = i < row.size() && slots_[i].state == field_state::unchanged;
    if (same && slots_.back().state == field_state::text) {
      slots_[i] = slots_.back(); // one text for both
    }
  }
}

row_view row_change::row() const noexcept {
  return {*table_, std::span{slots_}.first(row_fields_), bytes_};
}

row_view row_change::old() const noexcept {
  return {*table_, std::span{slots_}.subspan(row_fields_), bytes_};
}

std::size_t row_change::size_bytes() const noexcept {
  return sizeof(feed_event) + bytes_.capacity() +
         slots_.capacity() * sizeof(field_slot);
}

} // namespace jessica::storage
