#include "engines/use_lite_weights.hpp"

#include <cmath>
#include <cstddef>
#include <format>
#include <functional>
#include <numeric>
#include <utility>

namespace jessica::engines {

std::vector<float> use_lite_weights::take(const std::string& name,
                                          const std::vector<std::int64_t>& shape) {
  const auto found = from_.floats.find(name);
  taken_.insert(name);
  if (found != from_.floats.end() && found->second.shape == shape)
    return found->second.values;
  mistake(found == from_.floats.end() ? "there is no tensor " + name
                                      : "the shape is another one than known: " + name);
  const auto count =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies{});
  return std::vector<float>(static_cast<std::size_t>(count));
}

void use_lite_weights::expect(const std::string& name, float value) {
  constexpr auto tolerance = 1e-5F; // of the value
  const auto floats = from_.floats.find(name);
  const auto integers = from_.integers.find(name);
  const auto* const values = floats != from_.floats.end() ? &floats->second.values
                             : integers != from_.integers.end()
                                 ? &integers->second.values
                                 : nullptr;
  if (values == nullptr || values->size() != 1)
    return mistake("there is no number " + name);
  if (std::abs(values->front() - value) > std::abs(value) * tolerance)
    mistake(std::format("{} is {} instead of {}", name, values->front(), value));
}

result<void> use_lite_weights::verdict() const {
  if (!mistake_.empty())
    return fail(errc::invalid_input, mistake_);
  for (const auto& [name, tensor] : from_.floats)
    if (tensor.values.size() > 1 && !taken_.contains(name))
      return fail(errc::invalid_input, "nobody knows what this tensor is for: " + name);
  return {};
}

void use_lite_weights::mistake(std::string what) {
  if (mistake_.empty())
    mistake_ = std::move(what);
}

} // namespace jessica::engines
