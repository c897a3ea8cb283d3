#include "engines/pooling.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace jessica::engines {
namespace {

constexpr auto names =
    std::array<std::pair<std::string_view, pooling>, 5>{{{"none", pooling::none},
                                                         {"mean", pooling::mean},
                                                         {"cls", pooling::cls},
                                                         {"max", pooling::max},
                                                         {"last", pooling::last}}};

/// One text's tokens.
struct row {
  std::span<const float> values;  ///< columns * width
  std::span<const token_id> mask; ///< columns
  std::size_t width;

  [[nodiscard]] std::span<const float> token(std::size_t i) const {
    return values.subspan(i * width, width);
  }
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count(mask, token_id{1}));
  }
};

template <class Combine>
[[nodiscard]] std::vector<float> folded(const row& of, Combine combine) {
  auto made = std::vector<float>{};
  for (auto i = std::size_t{0}; i < of.mask.size(); ++i) {
    if (of.mask[i] == 0)
      continue;
    const auto token = of.token(i);
    if (made.empty())
      made.assign(token.begin(), token.end());
    else
      std::ranges::transform(made, token, made.begin(), combine);
  }
  made.resize(of.width);
  return made;
}

[[nodiscard]] std::vector<float> mean(const row& of) {
  auto made = folded(of, std::plus{});
  const auto count = static_cast<float>(std::max(of.count(), std::size_t{1}));
  for (auto& one : made)
    one /= count;
  return made;
}

[[nodiscard]] std::vector<float> pooled(const row& of, pooling how) {
  const auto copy = [](std::span<const float> one) {
    return std::vector<float>{one.begin(), one.end()};
  };
  switch (how) {
  case pooling::mean:
    return mean(of);
  case pooling::max:
    return folded(of, [](float a, float b) { return std::max(a, b); });
  case pooling::last:
    return copy(of.token(std::max(of.count(), std::size_t{1}) - 1));
  case pooling::none:
  case pooling::cls:
    break;
  }
  return copy(of.token(0));
}

} // namespace

std::optional<pooling> pooling_named(std::string_view wanted) {
  const auto* const found =
      std::ranges::find(names, wanted, &std::pair<std::string_view, pooling>::first);
  return found == names.end() ? std::nullopt : std::optional{found->second};
}

std::string_view name(pooling how) noexcept {
  return names.at(static_cast<std::size_t>(how)).first;
}

std::vector<std::vector<float>> pool(std::span<const float> values,
                                     const token_batch& batch, std::size_t width,
                                     pooling how) {
  const auto columns = how == pooling::none ? 1 : batch.columns;
  auto made = std::vector<std::vector<float>>{};
  made.reserve(batch.rows);
  for (auto i = std::size_t{0}; i < batch.rows; ++i)
    made.push_back(
        pooled({values.subspan(i * columns * width, columns * width),
                std::span{batch.mask}.subspan(i * batch.columns, batch.columns), width},
               how));
  return made;
}

} // namespace jessica::engines
