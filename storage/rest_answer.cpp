#include "storage/rest_answer.hpp"

#include "storage/rest_fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <optional>
#include <string_view>
#include <utility>

namespace jessica::storage {
namespace {

// All of it for this transaction alone. The role comes last: what stands before it is
// still ours to set. A transaction can become read-only at any time, and not go back
// once it has read.
constexpr auto become = std::string_view{R"(
  select set_config('search_path', '"public", "extensions"', true),
         set_config('transaction_read_only', $3, true),
         set_config('request.jwt.claims', $2, true),
         set_config('request.method', $4, true),
         set_config('request.path', $5, true),
         set_config('request.headers', $6, true),
         set_config('request.cookies', $7, true),
         set_config('statement_timeout', $8, true),)"};
constexpr auto become_lazy =
    std::string_view{" set_config('synchronous_commit', 'off', true),"};
constexpr auto become_last = std::string_view{" set_config('role', $1, true)"};
constexpr auto become_elsewhere =
    std::string_view{" set_config('timezone', $9, true), set_config('role', $1, true)"};

/// What the planner expects, of EXPLAIN's JSON: the first "Plan Rows" is the whole's.
[[nodiscard]] std::optional<std::int64_t> planned_rows(std::string_view plan) {
  constexpr auto key = std::string_view{"\"Plan Rows\": "};
  const auto at = plan.find(key);
  if (at == std::string_view::npos)
    return std::nullopt;
  const auto digits = plan.substr(at + key.size());
  auto rows = std::int64_t{0};
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  return read.ec == std::errc{} ? std::optional{rows} : std::nullopt;
}

[[nodiscard]] std::optional<std::int64_t>
total_of(const rest_request& what, std::span<const rows> all, std::int64_t max_rows) {
  const auto& answer = all.front();
  auto total = answer.null(0, 2) ? std::nullopt : std::optional{answer.integer(0, 2)};
  if (all.size() < 2)
    return total;
  const auto planned = planned_rows(all[1].text(0, 0));
  if (what.prefer.count == row_count::planned)
    return planned;
  return total && *total > max_rows ? std::max(total, planned) : total;
}

} // namespace

statement become_of(const rest_request& what, const rest_schema& schema, access mode,
                    rest_limits limits, commits how) {
  const auto role = name(what.who.role);
  const auto limit = schema.time_limits.find(role);
  const auto& zone = what.prefer.time_zone;
  auto made = statement{std::string{become}
                            .append(how == commits::lazy ? become_lazy : "")
                            .append(zone.empty() ? become_last : become_elsewhere),
                        {std::string{role}, what.who.claims,
                         std::string{mode == access::read_only ? "on" : "off"},
                         what.method, what.path, what.headers, what.cookies,
                         limit != schema.time_limits.end()
                             ? limit->second
                             : std::to_string(limits.statement_timeout.count())}};
  if (!zone.empty())
    made.parameters.emplace_back(zone);
  return made;
}

rest_reply reply_of(const rest_request& what, const rest_statement& made,
                    std::span<const rows> all, std::int64_t max_rows) {
  const auto& answer = all.front();
  auto reply = rest_reply{};
  reply.body = answer.text(0, 0);
  reply.rows = answer.integer(0, 1);
  reply.total = total_of(what, all, max_rows);
  reply.headers = answer.text(0, 3);
  reply.status = answer.text(0, 4);
  reply.updated = answer.null(0, 5) ? 0 : answer.integer(0, 5);
  reply.nothing = made.nothing;
  constexpr auto first_key = 6;
  if (reply.rows == 1)
    for (auto i = std::size_t{0}; i < made.key.size(); ++i)
      reply.key.emplace_back(made.key[i],
                             answer.text(0, first_key + static_cast<int>(i)));
  const auto written =
      what.action != rest_action::read && what.action != rest_action::call;
  if (written && what.prefer.count != row_count::none)
    reply.total = reply.rows;
  return reply;
}

result<void> check_rows(const rest_request& what, bool nothing, std::int64_t rows) {
  if (what.as == result_shape::object && !nothing && rows != 1)
    return rest_fault(errc::invalid_input, "PGRST116",
                      "Cannot coerce the result to a single JSON object",
                      std::format("The result contains {} rows", rows));
  const auto limited = what.action != rest_action::read &&
                       what.action != rest_action::insert &&
                       what.prefer.strict.value_or(false);
  if (limited && what.prefer.max_affected && rows > *what.prefer.max_affected)
    return rest_fault(errc::invalid_input, "PGRST124",
                      "Query result exceeds max-affected preference constraint",
                      std::format("The query affects {} rows", rows));
  return {};
}

bool to_be_judged(const rest_request& what, const rest_statement& made) {
  return made.mode == access::read_write &&
         (what.as == result_shape::object || what.prefer.max_affected.has_value());
}

bool unknown_time_zone(const error& why, const rest_request& what) {
  return why.sql && !what.prefer.time_zone.empty() && why.sql->sqlstate == "22023" &&
         why.sql->message.contains("\"TimeZone\"");
}

bool may_be_outdated(const error& why) noexcept {
  constexpr auto codes = std::to_array<std::string_view>(
      {"PGRST200", "PGRST202", "PGRST203", "PGRST204", "PGRST205", "42703", "42P01",
       "42883", "42804", "42P10"});
  return why.sql && std::ranges::contains(codes, std::string_view{why.sql->sqlstate});
}

} // namespace jessica::storage
