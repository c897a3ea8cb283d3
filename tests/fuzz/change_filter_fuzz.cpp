// Feeds the filters of postgres_changes whatever libFuzzer thinks of: the first line is
// a filter, each further one the value of a column.
#include "wire/change_filter.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace jessica;
using wire::change_cell;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

const auto columns = std::array<wire::change_column, 8>{{
    {"i", "int8", true},
    {"n", "numeric", false},
    {"t", "text", false},
    {"b", "bool", false},
    {"z", "timestamptz", false},
    {"u", "uuid", false},
    {"f", "float8", false},
    {"", "text", false}, // hidden
}};

using row = std::vector<change_cell>;

row row_of(std::string_view lines) {
  auto cells = row(columns.size());
  for (auto& cell : cells) {
    const auto end = std::min(lines.find('\n'), lines.size());
    cell = {change_cell::kind::text, lines.substr(0, end)};
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return cells;
}

/// "c=op.v" as "c=not.op.v"; empty when it is not that simple.
std::string negated(std::string_view filter) {
  const auto at = filter.find('=');
  if (at == std::string_view::npos || filter.contains(',') || filter.contains('"') ||
      filter.substr(at + 1).starts_with("not.")) {
    return {};
  }
  return std::string{filter.substr(0, at + 1)} + "not." +
         std::string{filter.substr(at + 1)};
}

void check(std::string_view text, const row& known) {
  const auto filter = wire::change_filter::parse(text, columns);
  if (!filter) {
    return demand(filter.error().code == errc::invalid_input &&
                  !filter.error().what.empty());
  }
  const auto matches = filter->matches(known);
  demand(matches == filter->matches(known));
  const auto everything = wire::change_filter{}.matches(known);
  demand(everything);
  if (text.contains('=')) { // a condition; nothing is known of this row
    demand(!filter->matches(row(columns.size())));
  }
  const auto opposite = negated(text);
  if (const auto other = wire::change_filter::parse(opposite, columns);
      !opposite.empty() && other) {
    demand(!(matches && other->matches(known)));
    const auto nulls = row(columns.size(), {change_cell::kind::null, {}});
    demand(!(filter->matches(nulls) && other->matches(nulls)));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  const auto line = std::min(input.find('\n'), size);
  check(input.substr(0, line), row_of(input.substr(std::min(line + 1, size))));
  return 0;
}
