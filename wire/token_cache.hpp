// Tokens that were verified lately, by a keyed hash: no token is kept, and nobody
// outside can tell which of them share a place.
#pragma once

#include "domain/identity.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// One thread at a time. Its size is fixed: a new token takes the place of the one of
/// its bucket that expires first.
class token_cache {
public:
  /// The token's hash under this cache's own random key.
  using place = std::array<std::uint64_t, 2>;

  /// For at least this many tokens.
  explicit token_cache(std::size_t entries);

  [[nodiscard]] place place_of(std::string_view token) const noexcept;
  /// Null: not here, or expired.
  [[nodiscard]] std::shared_ptr<const identity>
  find(const place& at, std::chrono::sys_seconds now) const noexcept;
  /// What `find` gives from now on, until the identity expires.
  void keep(const place& at, std::shared_ptr<const identity> who,
            std::chrono::sys_seconds now);
  void clear() noexcept;

private:
  static constexpr auto bucket_size = std::size_t{4};

  struct entry {
    place at{};
    std::shared_ptr<const identity> who;
  };
  using bucket = std::array<entry, bucket_size>;

  [[nodiscard]] std::size_t bucket_of(const place& at) const noexcept {
    return at[0] % buckets_.size();
  }

  std::array<unsigned char, 16> key_;
  std::vector<bucket> buckets_;
};

} // namespace jessica::wire
