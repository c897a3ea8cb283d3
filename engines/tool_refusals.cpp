#include "engines/tool_refusals.hpp"

#include "engines/fault.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace jessica::engines {
namespace {

/// Names come from clients, too: a bounded number is kept.
constexpr auto most_models = std::size_t{64};

constexpr auto names = std::to_array<std::string_view>({"tool", "function call"});

constexpr auto unsupported = std::to_array<std::string_view>(
    {"support", "requires --", "unrecognized", "unknown field", "unknown parameter",
     "unknown argument", "not permitted", "not allowed", "not enabled", "not available",
     "not implemented"});

/// What concerns one of the tools, or what was called, and not tools as such.
constexpr auto particular = std::to_array<std::string_view>(
    {"tools[", "tools.", "schema", "tool_call", "tool_use_id", "parameters"});

[[nodiscard]] bool has_any(std::string_view text,
                           std::span<const std::string_view> of) {
  return std::ranges::any_of(of, [&](auto one) { return text.contains(one); });
}

} // namespace

tool_refusal read_tool_refusal(unsigned status, std::string_view words) {
  constexpr auto failed = 500U;
  constexpr auto not_implemented = 501U;
  const auto kind = fault_of_status(status);
  if (kind != fault_kind::bad_request && kind != fault_kind::not_found &&
      status != failed && status != not_implemented)
    return tool_refusal::none;
  auto lower = std::string{words};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (!has_any(lower, names))
    return tool_refusal::none;
  return has_any(lower, unsupported) && !has_any(lower, particular)
             ? tool_refusal::for_a_while
             : tool_refusal::this_once;
}

bool tool_refusals::hold(std::string_view model, clock::time_point now) const {
  return std::ranges::any_of(
      all_, [&](const auto& one) { return one.model == model && now < one.until; });
}

void tool_refusals::remember(std::string_view model, clock::time_point now) {
  std::erase_if(
      all_, [&](const auto& one) { return one.model == model || one.until <= now; });
  if (all_.size() == most_models)
    all_.erase(all_.begin());
  all_.push_back({std::string{model}, now + kept_for});
}

} // namespace jessica::engines
