#include "config/option_rows.hpp"
#include "config/option_sections.hpp"

#include <array>

namespace jessica::config {
namespace {

using namespace rows;
using gateway = section<&settings::gateway>;
using quota = section<&settings::quota>;

constexpr auto gateway_rows = std::array{
    gateway::toggle<&gateway_settings::enabled>(
        "gateway.enabled",
        "Whether /v1 answers tools that speak OpenAI (docs/gateway.md)."),
    gateway::count<&gateway_settings::slots>(
        "gateway.slots", 1, max_count, "Completions at once on this node; then 429."),
    gateway::count<&gateway_settings::per_user>("gateway.per_user", 1, max_count,
                                                "Of one user, at once; then 429."),
    gateway::bytes<&gateway_settings::unread_bytes>(
        "gateway.unread_bytes", kib, 64 * mib,
        "How far the client of a stream may be behind; then its completion ends."),
};

constexpr auto quota_rows = std::array{
    quota::count<&quota_settings::replies_per_minute>(
        "quota.replies_per_minute", 0, max_count,
        "Replies that a user may ask for in a minute; 0: any number. For all limits "
        "see [usage.md](usage.md)."),
    quota::count<&quota_settings::replies_per_day>(
        "quota.replies_per_day", 0, max_count,
        "Replies of a user in a day (UTC); 0: any number."),
    quota::count<&quota_settings::tokens_per_day>(
        "quota.tokens_per_day", 0, (max_count * max_count),
        "Tokens of a user's prompts and replies in a day; 0: any number."),
    quota::text<&quota_settings::cost_per_day>(
        "quota.cost_per_day",
        "What a user's replies may cost in a day, a decimal number in quotes; empty: "
        "any sum. Only models with a price cost something."),
    quota::count<&quota_settings::reserve_tokens>(
        "quota.reserve_tokens", 1, max_count,
        "Tokens held for a reply that names no `max_tokens`, until it ends."),
    quota::text<&quota_settings::currency>("quota.currency", "Of the prices: a label."),
};

} // namespace

std::span<const option> gateway_options() {
  return gateway_rows;
}

std::span<const option> quota_options() {
  return quota_rows;
}

} // namespace jessica::config
