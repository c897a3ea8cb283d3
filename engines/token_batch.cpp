#include "engines/token_batch.hpp"

#include <algorithm>
#include <numeric>

namespace jessica::engines {

std::vector<std::vector<std::size_t>>
plan_batches(std::span<const std::vector<token_id>> texts, const batch_limits& limits) {
  auto order = std::vector<std::size_t>(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return texts[i].size(); });
  auto batches = std::vector<std::vector<std::size_t>>{};
  for (const auto i : order) {
    const auto longest = std::max(texts[i].size(), std::size_t{1}); // so far
    const auto fits = !batches.empty() && batches.back().size() < limits.texts &&
                      (batches.back().size() + 1) * longest <= limits.tokens;
    if (!fits)
      batches.emplace_back();
    batches.back().push_back(i);
  }
  return batches;
}

token_batch padded(std::span<const std::vector<token_id>> texts,
                   std::span<const std::size_t> chosen, token_id padding) {
  auto made = token_batch{};
  made.rows = chosen.size();
  made.columns = 1;
  for (const auto i : chosen)
    made.columns = std::max(made.columns, texts[i].size());
  made.ids.assign(made.rows * made.columns, padding);
  made.mask.assign(made.rows * made.columns, 0);
  for (auto row = std::size_t{0}; row < made.rows; ++row) {
    const auto& text = texts[chosen[row]];
    const auto start = static_cast<std::ptrdiff_t>(row * made.columns);
    std::ranges::copy(text, made.ids.begin() + start);
    std::fill_n(made.mask.begin() + start, text.size(), 1);
  }
  return made;
}

} // namespace jessica::engines
