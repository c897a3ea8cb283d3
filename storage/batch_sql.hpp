// What statements over many rows at once share: array parameters, and the one error
// that says which row stands in the way.
#pragma once

#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace jessica::storage {

[[nodiscard]] inline parameter number(std::int64_t value) {
  return std::to_string(value);
}

/// One array parameter: what `field` says of each item.
template <class Items, class Field>
[[nodiscard]] parameter array_of(const Items& items, Field field) {
  auto texts = std::vector<parameter>{};
  texts.reserve(items.size());
  for (const auto& item : items)
    texts.push_back(field(item));
  return array_literal(texts);
}

/// Somebody's transaction holds a row.
[[nodiscard]] inline bool is_locked(const error& failure) noexcept {
  return failure.sql && failure.sql->sqlstate == "55P03";
}

} // namespace jessica::storage
