#include "engines/unit_vector.hpp"

#include <cmath>

namespace jessica::engines {

bool make_unit(std::vector<float>& vector) {
  auto square = 0.0;
  for (const auto one : vector)
    square += static_cast<double>(one) * static_cast<double>(one);
  const auto length = std::sqrt(square);
  if (!std::isfinite(length) || length == 0)
    return false;
  for (auto& one : vector)
    one = static_cast<float>(static_cast<double>(one) / length);
  return true;
}

} // namespace jessica::engines
