// Vectors as texts have them, made from their number alone: users talk about topics,
// and what is near is known. Or those of real texts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace jessica::bench {

/// Every user has 20 of 1,000 topics. What tells the texts of a topic apart lies mostly
/// in 24 directions, with a little noise in all: uniform noise would have no near
/// neighbours.
class search_corpus {
public:
  static constexpr auto dimensions = std::size_t{512};

  /// Vector n belongs to user n % owners.
  search_corpus(std::size_t vectors, std::size_t owners);
  /// Vectors that a model made, one after the other, and those to ask with.
  search_corpus(std::vector<float> vectors, std::vector<float> asked,
                std::size_t owners);

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] std::size_t owners() const noexcept { return owners_; }
  [[nodiscard]] std::span<const float> vector(std::size_t n) const noexcept;

  struct question {
    std::size_t owner = 0;
    std::vector<float> vector;
    std::vector<std::uint32_t> answer; ///< the 10 nearest of the owner, by a plain loop
  };
  /// The same ones for the same number; fewer when there are no more to ask with.
  [[nodiscard]] std::vector<question> questions(std::size_t count) const;

private:
  [[nodiscard]] std::vector<float> draw(std::size_t owner, std::uint64_t seed) const;
  [[nodiscard]] std::vector<std::uint32_t> nearest(std::size_t owner,
                                                   std::span<const float> to) const;

  std::size_t count_;
  std::size_t owners_;
  std::vector<float> noise_; ///< read from anywhere: drawing anew would take minutes
  std::vector<float> topics_;
  std::vector<float> directions_;
  std::vector<float> vectors_;
  std::vector<float> asked_; ///< empty: questions are drawn
};

/// How many of a search's results are asked for.
inline constexpr auto search_results = std::size_t{10};

/// The share of the answer that was found.
[[nodiscard]] double recall_of(std::span<const std::uint32_t> found,
                               const search_corpus::question& asked);

} // namespace jessica::bench
