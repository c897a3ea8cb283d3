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

result<search_contender>
choose_way(std::vector<search_contender> ways,
           std::span<const search_corpus::question> questions) {
  constexpr auto trial = std::size_t{60};
  questions = questions.first(std::min(trial, questions.size()));
  auto best = std::optional<std::pair<search_score, search_contender>>{};
  for (auto& way : ways) {
    // The first time is for caches.
    auto score = ask_all(way.answer,
                         questions.first(std::min<std::size_t>(10, questions.size())));
    if (score)
      score = ask_all(way.answer, questions);
    if (!score)
      return std::unexpected{std::move(score.error())};
    const auto good = score->recall >= wanted_recall;
    const auto best_good = best && best->first.recall >= wanted_recall;
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
