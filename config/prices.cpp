#include "config/prices.hpp"

#include "domain/amount.hpp"

#include <algorithm>
#include <cstdint>
#include <format>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

namespace jessica::config {
namespace {

/// Beyond it the sum of a long conversation might not fit a number.
constexpr auto dearest_price = std::int64_t{10'000'000'000};

[[nodiscard]] bool is_pattern(std::string_view model) {
  const auto star = model.find('*');
  return !model.empty() && (star == model.npos || star + 1 == model.size());
}

[[nodiscard]] std::optional<std::int64_t> read_price(const file_entry& entry) {
  if (!entry.supported && entry.fraction.empty())
    return std::nullopt;
  const auto value = parse_millionths(entry.supported ? entry.text : entry.fraction);
  return value && *value <= dearest_price ? value : std::nullopt;
}

struct price_table {
  price made;
  std::vector<std::string> mistakes;
};

[[nodiscard]] price_table read_table(const file_table& table, const std::string& file) {
  auto read = price_table{};
  auto prompt = false;
  auto completion = false;
  const auto number = [&](const file_entry& entry, std::int64_t& to) {
    const auto value = read_price(entry);
    to = value.value_or(0);
    if (!value)
      read.mistakes.push_back(
          std::format("{}:{}: prices.{} must be a number from 0 to 10000, with at most "
                      "six decimals",
                      file, entry.line, entry.name));
    return true;
  };
  for (const auto& entry : table.entries) {
    if (entry.name == "model" && entry.quoted)
      read.made.model = entry.text;
    else if (entry.name == "prompt")
      prompt = number(entry, read.made.prompt);
    else if (entry.name == "completion")
      completion = number(entry, read.made.completion);
    else
      read.mistakes.push_back(std::format("{}:{}: prices.{} is not known or no text",
                                          file, entry.line, entry.name));
  }
  if (!prompt || !completion || !is_pattern(read.made.model))
    read.mistakes.push_back(std::format("{}:{}: prices needs model (a name, or its "
                                        "beginning and *), prompt and completion",
                                        file, table.line));
  return read;
}

} // namespace

std::vector<std::string> gather_prices(quota_settings& in,
                                       std::span<const file_table> tables,
                                       const std::string& file) {
  auto mistakes = std::vector<std::string>{};
  for (const auto& table : tables) {
    auto read = read_table(table, file);
    std::ranges::move(read.mistakes, std::back_inserter(mistakes));
    if (std::ranges::contains(in.prices, read.made.model, &price::model))
      mistakes.push_back(
          std::format("{}:{}: prices has {} twice", file, table.line, read.made.model));
    in.prices.push_back(std::move(read.made));
  }
  return mistakes;
}

std::vector<option_report> report_prices(const quota_settings& in) {
  constexpr auto per_million = std::int64_t{1'000'000};
  auto lines = std::vector<option_report>{};
  for (const auto& one : in.prices)
    lines.push_back(
        {"prices." + one.model,
         std::format("{} {} {}", text_of(amount{one.prompt * per_million}),
                     text_of(amount{one.completion * per_million}), in.currency),
         "prices", "A million tokens of prompt, of reply."});
  return lines;
}

} // namespace jessica::config
