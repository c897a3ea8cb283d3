// Whoever answers the questions of the search scenario, and how well it did.
#pragma once

#include "bench/load/histogram.hpp"
#include "bench/load/search_corpus.hpp"
#include "domain/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace jessica::bench {

/// The numbers of the nearest vectors of the question's owner.
using search_answer =
    std::function<result<std::vector<std::uint32_t>>(const search_corpus::question&)>;

/// The recall that every contender has to reach.
inline constexpr auto wanted_recall = 0.99;

struct search_contender {
  std::string name;
  std::string way; ///< how it searches; for the report
  search_answer answer;
  std::size_t vectors = 0; ///< that it holds
};

struct search_score {
  histogram waited;
  std::chrono::nanoseconds took{};
  double recall = 0; ///< of all questions, in the mean
};

/// Asks one question after the other.
[[nodiscard]] result<search_score>
ask_all(const search_answer& answer,
        std::span<const search_corpus::question> questions);

/// Of several ways the quickest that reaches the wanted recall; when none does, the one
/// that comes closest. A short trial of each, which ends when another was quicker.
[[nodiscard]] result<search_contender>
choose_way(std::vector<search_contender> ways,
           std::span<const search_corpus::question> questions);

} // namespace jessica::bench
