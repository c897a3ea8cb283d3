#include "wire/quota.hpp"

#include "wire/json_reader.hpp"

#include <string_view>

namespace jessica::wire {
namespace {

constexpr auto code_of_refusals = std::string_view{"quota_exceeded"};

/// The object in the details of what was raised (SQLSTATE PGRST: the message is the
/// body that a REST client reads).
[[nodiscard]] std::optional<std::string> details_of(const sql_fault& fault) {
  if (fault.sqlstate != "PGRST")
    return std::nullopt;
  const auto raised = parse_object(fault.message);
  if (!raised)
    return std::nullopt;
  const auto fields = json_reader{*raised};
  const auto code = fields.text("code");
  auto details = fields.text("details");
  if (!code || *code != code_of_refusals || !details)
    return std::nullopt;
  return *std::move(details);
}

} // namespace

std::optional<quota_refusal> read_refusal(const error& what) {
  if (!what.sql)
    return std::nullopt;
  auto details = details_of(*what.sql);
  if (!details)
    return std::nullopt;
  const auto parsed = parse_object(*details);
  if (!parsed)
    return std::nullopt;
  const auto fields = json_reader{*parsed};
  const auto limit = fields.text("limit");
  const auto seconds = fields.integer("retry_after");
  if (!limit || !*limit || !seconds || !*seconds)
    return std::nullopt;
  return quota_refusal{*std::move(details), **limit, std::to_string(**seconds)};
}

std::string channel_refusal(const quota_refusal& what) {
  return R"({"reason":"quota_exceeded",)" + what.body.substr(1);
}

} // namespace jessica::wire
