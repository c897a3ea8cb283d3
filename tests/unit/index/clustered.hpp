// Vectors as embeddings are: in clusters, of length 1; the same for the same seed.
#pragma once

#include "domain/memory.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace jessica::index {

inline std::vector<float> unit(std::vector<float> vector) {
  auto squares = 0.0;
  for (const auto x : vector)
    squares += static_cast<double>(x) * static_cast<double>(x);
  const auto length = static_cast<float>(std::sqrt(squares));
  for (auto& x : vector)
    x /= length;
  return vector;
}

/// Draws vectors around random centres. As with texts, what tells those of a cluster
/// apart is mostly one of few things: 24 directions, and a little noise in all.
class clustered {
public:
  clustered(std::size_t dimensions, std::size_t clusters, std::uint32_t seed)
      : dimensions_{dimensions}, random_{seed} {
    for (auto i = std::size_t{0}; i < clusters; ++i)
      centres_.push_back(unit(noise()));
    for (auto i = std::size_t{0}; i < directions; ++i)
      directions_.push_back(unit(noise()));
  }

  std::vector<float> next() {
    constexpr auto along = 0.7F / 4.9F; // of each direction: 0.7 of all 24
    constexpr auto beside = 0.25F;
    auto vector = centres_[random_() % centres_.size()];
    const auto spread = beside / std::sqrt(static_cast<float>(dimensions_));
    for (auto& x : vector)
      x += normal_(random_) * spread;
    for (const auto& direction : directions_) {
      const auto far = normal_(random_) * along;
      for (auto i = std::size_t{0}; i < dimensions_; ++i)
        vector[i] += far * direction[i];
    }
    return unit(std::move(vector));
  }
  std::uint32_t number(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_()) % below;
  }

private:
  static constexpr auto directions = std::size_t{24};

  std::vector<float> noise() {
    auto vector = std::vector<float>(dimensions_);
    for (auto& x : vector)
      x = normal_(random_);
    return vector;
  }

  std::size_t dimensions_;
  std::mt19937 random_;
  std::normal_distribution<float> normal_;
  std::vector<std::vector<float>> centres_;
  std::vector<std::vector<float>> directions_;
};

template <class Id> Id numbered(std::uint32_t number) {
  auto id = Id{};
  for (auto i = std::size_t{0}; i < 4; ++i)
    id.value.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  id.value.bytes[0] = 1; // never "none"
  return id;
}

inline timestamp at_second(std::uint32_t second) {
  return timestamp{std::chrono::seconds{second}};
}

/// Piece `number` of a user: two of a message, in one of ten conversations.
inline embedded_piece piece_of(const user_id& user, std::uint32_t number,
                               std::vector<float> vector) {
  return {.id = {number},
          .user = user,
          .conversation = numbered<conversation_id>(number / 2 % 10),
          .message = numbered<message_id>(number / 2),
          .role = number / 2 % 2 == 0 ? message_role::user : message_role::assistant,
          .said_at = at_second(number),
          .vector = std::move(vector)};
}

inline std::vector<embedded_piece> pieces_of(const user_id& user, std::uint32_t count,
                                             clustered& from, std::uint32_t first = 1) {
  auto all = std::vector<embedded_piece>{};
  for (auto i = std::uint32_t{0}; i < count; ++i)
    all.push_back(piece_of(user, first + i, from.next()));
  return all;
}

inline bool passes(const embedded_piece& piece, const memory_filter& filter) {
  return (!filter.conversation || piece.conversation == *filter.conversation) &&
         (!filter.not_conversation || piece.conversation != *filter.not_conversation) &&
         (!filter.role || piece.role == *filter.role) &&
         (!filter.since || piece.said_at >= *filter.since) &&
         (!filter.before || piece.said_at < *filter.before);
}

/// What a search has to find, the slow and plain way.
inline std::vector<memory_hit> reference(std::span<const embedded_piece> pieces,
                                         std::span<const float> query,
                                         const memory_filter& filter, std::size_t k,
                                         float min_score = -2) {
  auto best = std::map<message_id, memory_hit>{};
  const auto better = [](const memory_hit& a, const memory_hit& b) {
    return a.score != b.score ? a.score > b.score : a.id > b.id;
  };
  for (const auto& piece : pieces) {
    if (!passes(piece, filter))
      continue;
    auto sum = 0.0;
    for (auto i = std::size_t{0}; i < query.size(); ++i)
      sum += static_cast<double>(query[i]) * static_cast<double>(piece.vector[i]);
    const auto hit = memory_hit{piece.id, piece.message, static_cast<float>(sum)};
    if (hit.score < min_score)
      continue;
    const auto [place, fresh] = best.emplace(piece.message, hit);
    if (!fresh && better(hit, place->second))
      place->second = hit;
  }
  auto all = std::vector<memory_hit>{};
  for (const auto& [message, hit] : best)
    all.push_back(hit);
  std::ranges::sort(all, better);
  all.resize(std::min(all.size(), k));
  return all;
}

/// The share of `wanted` that is in `found`.
inline double recall(std::span<const memory_hit> found,
                     std::span<const memory_hit> wanted) {
  if (wanted.empty())
    return 1;
  const auto there = std::ranges::count_if(wanted, [&](const memory_hit& hit) {
    return std::ranges::find(found, hit.message, &memory_hit::message) != found.end();
  });
  return static_cast<double>(there) / static_cast<double>(wanted.size());
}

} // namespace jessica::index
