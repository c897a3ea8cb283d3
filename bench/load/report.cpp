#include "bench/load/report.hpp"

#include "bench/load/machine.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <iterator>
#include <string_view>

namespace jessica::bench {
namespace {

struct summary {
  double median = 0;
  double lowest = 0;
  double highest = 0;
};

[[nodiscard]] summary summarize(const findings& what, std::size_t measure) {
  auto values = std::vector<double>{};
  for (const auto& one : what.rounds)
    values.push_back(one[measure].value);
  std::ranges::sort(values);
  const auto upper = values[values.size() / 2];
  const auto lower = values[(values.size() - 1) / 2];
  return {(lower + upper) / 2, values.front(), values.back()};
}

/// Three digits that matter, large numbers in whole.
[[nodiscard]] std::string number(double value) {
  const auto size = value < 0 ? -value : value;
  if (size == 0)
    return "0";
  if (size >= 100)
    return std::format("{:.0f}", value);
  return size >= 10  ? std::format("{:.1f}", value)
         : size >= 1 ? std::format("{:.2f}", value)
                     : std::format("{:.3f}", value);
}

[[nodiscard]] std::string json_text(std::string_view text) {
  auto out = std::string{'"'};
  for (const auto c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + '"';
}

/// JSON has no word for a division by zero.
[[nodiscard]] std::string json_number(double value) {
  return std::isfinite(value) ? std::format("{}", value) : "null";
}

using facts = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] facts circumstances(const findings& what, const settings& how) {
  auto all = facts{{"commit", how.commit}};
  std::ranges::copy(machine_facts(how.scratch), std::back_inserter(all));
  std::ranges::copy(what.settings, std::back_inserter(all));
  all.emplace_back("rounds", std::to_string(what.rounds.size()));
  return all;
}

} // namespace

result<findings> hold_rounds(findings found, std::size_t rounds,
                             const std::function<result<round>(std::size_t)>& hold) {
  for (auto i = std::size_t{0}; i < rounds; ++i) {
    auto one = hold(i);
    if (!one)
      return std::unexpected{std::move(one.error())};
    found.rounds.push_back(std::move(*one));
  }
  return found;
}

void add_percentiles(round& to, const std::string& name, const histogram& from,
                     const std::vector<int>& percents) {
  for (const auto percent : percents) {
    const auto value = std::chrono::duration<double, std::milli>{
        from.percentile(static_cast<double>(percent) / 100)};
    to.push_back({std::format("{} p{}", name, percent), "ms", value.count()});
  }
}

std::string table_of(const findings& what, const settings& how) {
  auto text = std::format("== {}\n", what.scenario);
  for (const auto& [name, value] : circumstances(what, how))
    text += std::format("   {}: {}\n", name, value);
  text +=
      std::format("{:<52}{:>12}{:>12}{:>12}  {}\n", "", "median", "min", "max", "unit");
  for (auto i = std::size_t{0}; i < what.rounds.front().size(); ++i) {
    const auto& one = what.rounds.front()[i];
    const auto all = summarize(what, i);
    text += std::format("{:<52}{:>12}{:>12}{:>12}  {}\n", one.name, number(all.median),
                        number(all.lowest), number(all.highest), one.unit);
  }
  return text;
}

std::string json_of(const findings& what, const settings& how) {
  auto text = std::format("{{\"scenario\":{}", json_text(what.scenario));
  for (const auto& [name, value] : circumstances(what, how))
    text += std::format(",{}:{}", json_text(name), json_text(value));
  text += ",\"measures\":[";
  for (auto i = std::size_t{0}; i < what.rounds.front().size(); ++i) {
    const auto& one = what.rounds.front()[i];
    const auto all = summarize(what, i);
    text += std::format(
        "{}{{\"name\":{},\"unit\":{},\"median\":{},\"min\":{},\"max\":{}}}",
        i == 0 ? "" : ",", json_text(one.name), json_text(one.unit),
        json_number(all.median), json_number(all.lowest), json_number(all.highest));
  }
  return text + "]}\n";
}

bool sound(const findings& what) {
  const auto fine = [](const measure& one) {
    return !one.must_be_zero || one.value == 0;
  };
  return std::ranges::all_of(
      what.rounds, [&](const round& one) { return std::ranges::all_of(one, fine); });
}

} // namespace jessica::bench
