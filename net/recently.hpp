// What a reactor was told lately and need not ask again.
#pragma once

#include <chrono>
#include <cstddef>
#include <unordered_map>

namespace jessica::net {

/// Keys seen within a stretch of time. Bounded; one thread.
template <class Key> class recently {
public:
  using clock = std::chrono::steady_clock;

  recently(clock::duration stretch, std::size_t most)
      : stretch_(stretch), most_(most) {}

  [[nodiscard]] bool saw(const Key& what, clock::time_point now) const {
    const auto found = seen_.find(what);
    return found != seen_.end() && now - found->second < stretch_;
  }

  void see(const Key& what, clock::time_point now) {
    if (seen_.size() >= most_)
      std::erase_if(seen_,
                    [&](const auto& one) { return now - one.second >= stretch_; });
    if (seen_.size() >= most_)
      seen_.clear();
    seen_.insert_or_assign(what, now);
  }

private:
  clock::duration stretch_;
  std::size_t most_;
  std::unordered_map<Key, clock::time_point> seen_;
};

} // namespace jessica::net
