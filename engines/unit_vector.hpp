// Vectors of length 1. Pure.
#pragma once

#include <vector>

namespace jessica::engines {

/// Divides by the length. False: there is none, or a number is not finite; then the
/// vector is as it was.
[[nodiscard]] bool make_unit(std::vector<float>& vector);

} // namespace jessica::engines
