// What was seen lately, in bounded memory.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <utility>

namespace jessica::actors {

/// A map that keeps at least the last `each` entries and at most twice as many: when
/// the younger half is full it becomes the older one, and the older one is forgotten.
template <class Key, class Value> class recent {
public:
  explicit recent(std::size_t each) : each_(each) {}

  void put(const Key& key, Value value) {
    older_.erase(key);
    if (younger_.size() >= each_ && !younger_.contains(key)) {
      older_ = std::move(younger_);
      younger_ = {};
    }
    younger_.insert_or_assign(key, std::move(value));
  }
  /// Null: not seen, or forgotten.
  [[nodiscard]] const Value* find(const Key& key) const {
    for (const auto* half : {&younger_, &older_})
      if (const auto at = half->find(key); at != half->end())
        return &at->second;
    return nullptr;
  }
  void erase(const Key& key) {
    younger_.erase(key);
    older_.erase(key);
  }
  [[nodiscard]] std::size_t size() const { return younger_.size() + older_.size(); }

private:
  std::size_t each_;
  std::unordered_map<Key, Value> younger_;
  std::unordered_map<Key, Value> older_;
};

} // namespace jessica::actors
