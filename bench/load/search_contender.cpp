#include "bench/load/search_contender.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace jessica::bench {

result<search_score> ask_all(const search_answer& answer,
                             std::span<const search_corpus::question> questions) {
  using clock = std::chrono::steady_clock;
  auto score = search_score{};
  for (const auto& question : questions) {
    const auto begun = clock::now();
    const auto found = answer(question);
    const auto waited = clock::now() - begun;
    if (!found)
      return std::unexpected{found.error()};
    score.waited.record(waited);
    score.took += waited;
    score.recall += recall_of(*found, question);
  }
  score.recall /= static_cast<double>(std::max<std::size_t>(1, questions.size()));
  return score;
}

namespace {

/// Some questions at a time, until all are asked or it is clear that it takes longer
/// than `limit`.
result<search_score> try_out(const search_answer& answer,
                             std::span<const search_corpus::question> questions,
                             std::chrono::nanoseconds limit) {
  constexpr auto few = std::size_t{10};
  // The first time is for caches.
  auto score = ask_all(answer, questions.first(std::min(few, questions.size())));
  if (!score || score->took > limit)
    return score;
  auto sum = search_score{};
  for (auto left = questions; !left.empty() && sum.took <= limit;
       left = left.subspan(std::min(few, left.size()))) {
    const auto part = left.first(std::min(few, left.size()));
    score = ask_all(answer, part);
    if (!score)
      return score;
    sum.took += score->took;
    sum.recall += score->recall * static_cast<double>(part.size());
  }
  sum.recall /= static_cast<double>(std::max<std::size_t>(1, questions.size()));
  return sum;
}

} // namespace

result<search_contender>
choose_way(std::vector<search_contender> ways,
           std::span<const search_corpus::question> questions) {
  constexpr auto trial = std::size_t{60};
  questions = questions.first(std::min(trial, questions.size()));
  auto best = std::optional<std::pair<search_score, search_contender>>{};
  for (auto& way : ways) {
    const auto best_good = best && best->first.recall >= wanted_recall;
    const auto limit = best_good ? best->first.took : std::chrono::nanoseconds::max();
    auto score = try_out(way.answer, questions, limit);
    if (!score)
      return std::unexpected{std::move(score.error())};
    const auto good = score->recall >= wanted_recall;
    const auto better = !best || (good && !best_good) ||
                        (good && score->took < best->first.took) ||
                        (!good && !best_good && score->recall > best->first.recall);
    if (better)
      best = {std::move(*score), std::move(way)};
  }
  if (!best)
    return fail(errc::internal, "no way to search");
  return std::move(best->second);
}

} // namespace jessica::bench
