#include "domain/price.hpp"

#include <algorithm>
#include <limits>

namespace jessica {
namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();

[[nodiscard]] std::int64_t times(std::int64_t tokens, std::int64_t each) {
  if (tokens <= 0 || each <= 0)
    return 0;
  return tokens > most / each ? most : tokens * each;
}

[[nodiscard]] std::int64_t plus(std::int64_t one, std::int64_t other) {
  return one > most - other ? most : one + other;
}

[[nodiscard]] bool fits(std::string_view pattern, std::string_view model) {
  if (!pattern.ends_with('*'))
    return pattern == model;
  pattern.remove_suffix(1);
  return model.starts_with(pattern);
}

} // namespace

const price* find_price(const std::vector<price>& all, std::string_view model) {
  const auto* best = static_cast<const price*>(nullptr);
  for (const auto& one : all) {
    if (one.model == model)
      return &one;
    if (fits(one.model, model) && (!best || one.model.size() > best->model.size()))
      best = &one;
  }
  return best;
}

std::optional<amount> cost_of(const std::vector<price>& all, std::string_view model,
                              const usage& used) {
  const auto* const of = find_price(all, model);
  if (!of)
    return std::nullopt;
  return amount{plus(times(used.prompt_tokens, of->prompt),
                     times(used.completion_tokens, of->completion))};
}

price dearest(const std::vector<price>& all) {
  auto top = price{"*", 0, 0};
  for (const auto& one : all) {
    top.prompt = std::max(top.prompt, one.prompt);
    top.completion = std::max(top.completion, one.completion);
  }
  return top;
}

} // namespace jessica
