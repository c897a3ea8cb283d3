// Feeds the reader of Prefer headers whatever libFuzzer thinks of.
#include "wire/rest_prefer.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = std::string_view{reinterpret_cast<const char*>(data), size};
  const auto asked = wire::read_prefer(header);
  demand(asked.max_affected.value_or(0) >= 0);
  demand(header.contains(asked.time_zone));
  const auto items = std::ranges::count(header, ',') + 1;
  demand(std::ssize(asked.unknown) <= items);
  for (const auto& one : asked.unknown) {
    demand(!one.empty() && header.contains(one) && !one.contains(','));
  }
  for (const auto action : {rest_action::read, rest_action::insert, rest_action::update,
                            rest_action::remove, rest_action::call}) {
    // What we say was applied is understood as what was asked.
    const auto applied = wire::preference_applied(asked, action);
    const auto again = wire::read_prefer(applied);
    demand(again.unknown.empty());
    demand(again.count == asked.count && again.undo == asked.undo);
    demand(again.strict == asked.strict && again.time_zone == asked.time_zone);
    demand(wire::preference_applied(again, action) == applied);
  }
  return 0;
}
