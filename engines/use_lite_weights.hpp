// Takes tensors out of a package by name and shape, and knows which nobody took. Pure.
#pragma once

#include "domain/error.hpp"
#include "engines/use_lite_package.hpp"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

/// Remembers the first mistake; after one, what it hands out are zeros of the right
/// size.
class use_lite_weights {
public:
  explicit use_lite_weights(const use_lite_package& from) : from_{from} {}

  [[nodiscard]] std::vector<float> take(const std::string& name,
                                        const std::vector<std::int64_t>& shape);
  /// A number that the network is built around must be as it was when the recipe was
  /// written.
  void expect(const std::string& name, float value);

  /// Fails: invalid_input (the first mistake; a float tensor that was not taken).
  [[nodiscard]] result<void> verdict() const;

private:
  void mistake(std::string what);

  const use_lite_package& from_;
  std::set<std::string, std::less<>> taken_;
  std::string mistake_;
};

} // namespace jessica::engines
