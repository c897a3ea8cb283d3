// What a model's tokens cost.
#pragma once

#include "domain/amount.hpp"
#include "domain/chat.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica {

/// Prices in millionths of the currency's unit, a million tokens.
struct price {
  std::string model; ///< its name, or how names begin and '*'
  std::int64_t prompt = 0;
  std::int64_t completion = 0;

  friend bool operator==(const price&, const price&) = default;
};

/// The price of a model: the one with its very name, else the one with the longest
/// beginning that fits. Null: it has none.
[[nodiscard]] const price* find_price(const std::vector<price>& all,
                                      std::string_view model);

/// What these tokens cost, exactly; a sum that no number holds is the greatest there
/// is. Nullopt: the model has no price.
[[nodiscard]] std::optional<amount> cost_of(const std::vector<price>& all,
                                            std::string_view model, const usage& used);

/// Each token at the price of the dearest model: nothing costs more.
[[nodiscard]] price dearest(const std::vector<price>& all);

} // namespace jessica
