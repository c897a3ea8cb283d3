#include "wire/token_cache.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace jessica::wire {

token_cache::token_cache(std::size_t entries)
    : buckets_(std::max(std::size_t{1}, (entries + bucket_size - 1) / bucket_size)) {
  static_assert(crypto_shorthash_siphashx24_KEYBYTES == sizeof(key_));
  randombytes_buf(key_.data(), key_.size());
}

token_cache::place token_cache::place_of(std::string_view token) const noexcept {
  auto hash = std::array<unsigned char, crypto_shorthash_siphashx24_BYTES>{};
  crypto_shorthash_siphashx24(hash.data(),
                              reinterpret_cast<const unsigned char*>(token.data()),
                              token.size(), key_.data());
  auto at = place{};
  static_assert(sizeof(at) == sizeof(hash));
  std::memcpy(at.data(), hash.data(), hash.size());
  return at;
}

std::shared_ptr<const identity>
token_cache::find(const place& at, std::chrono::sys_seconds now) const noexcept {
  for (const auto& one : buckets_[bucket_of(at)])
    if (one.who && one.at == at)
      return now < one.who->expires ? one.who : nullptr;
  return nullptr;
}

void token_cache::keep(const place& at, std::shared_ptr<const identity> who,
                       std::chrono::sys_seconds now) {
  // Free and expired ones first: they end before all others.
  const auto end_of = [&](const entry& one) {
    return one.who && one.at != at && one.who->expires > now
               ? one.who->expires
               : std::chrono::sys_seconds::min();
  };
  auto& here = buckets_[bucket_of(at)];
  auto& victim = *std::ranges::min_element(here, {}, end_of);
  victim = {at, std::move(who)};
}

void token_cache::clear() noexcept {
  for (auto& one : buckets_)
    one = {};
}

} // namespace jessica::wire
