// What a scenario found out, printed with the machine and the settings it was measured
// with.
#pragma once

#include "bench/load/histogram.hpp"
#include "bench/load/settings.hpp"
#include "domain/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {

struct measure {
  std::string name;
  std::string unit;
  double value = 0;
  bool must_be_zero = false; ///< else the run has failed
};

/// All rounds of a scenario hold the same measures in the same order.
using round = std::vector<measure>;

struct findings {
  std::string scenario;
  std::vector<std::pair<std::string, std::string>> settings;
  std::vector<round> rounds;
};

/// Holds so many rounds and adds them to what was found; the first that fails ends it.
[[nodiscard]] result<findings>
hold_rounds(findings found, std::size_t rounds,
            const std::function<result<round>(std::size_t)>& hold);

/// Appends "<name> p50" and so on in milliseconds, one for each percentile asked for.
void add_percentiles(round& to, const std::string& name, const histogram& from,
                     const std::vector<int>& percents);

/// Of each measure the median, the smallest and the largest over the rounds.
[[nodiscard]] std::string table_of(const findings& what, const settings& how);
/// One line.
[[nodiscard]] std::string json_of(const findings& what, const settings& how);

/// No measure that must be zero is anything else.
[[nodiscard]] bool sound(const findings& what);

} // namespace jessica::bench
