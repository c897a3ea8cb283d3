// How often an address or an account may ask: a token bucket for each, in a table that
// never outgrows its bound.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace jessica::ops {

/// Any thread. Of one process: nodes count for themselves.
class rate_limiter {
public:
  using clock = std::chrono::steady_clock;
  struct pace {
    double per_second = 1; ///< how fast a bucket fills
    double burst = 1;      ///< how much it holds; new ones are full
  };

  /// Under a flood of keys the longest unused half of `most_keys` is forgotten.
  rate_limiter(pace allowed, std::size_t most_keys);

  /// Takes one from the key's bucket. When there is none: how long until there is.
  [[nodiscard]] std::optional<clock::duration> take(std::string_view key,
                                                    clock::time_point now);
  /// Puts back what take() took: it should not have counted.
  void give_back(std::string_view key);

  [[nodiscard]] std::size_t size() const;

private:
  struct bucket {
    double left = 0;
    clock::time_point at;
  };
  using table = std::unordered_map<std::string, bucket>;

  /// The key's bucket in the young table.
  bucket& find(std::string_view key, clock::time_point now);

  const pace allowed_;
  const std::size_t most_young_;
  mutable std::mutex lock_;
  table young_; ///< used since the tables changed places
  table old_;
};

} // namespace jessica::ops
