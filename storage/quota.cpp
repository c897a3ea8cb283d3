#include "storage/quota.hpp"

#include "domain/price.hpp"
#include "storage/batch_sql.hpp"
#include "storage/rest_fault.hpp"

#include <memory>
#include <string>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto raised = std::string_view{"PGRST"}; // PostgREST's code for own statuses

constexpr auto hold = std::string_view{R"(
  select id, refused from jessica.hold_request($1, $2, $3))"};

constexpr auto spend_and_count = std::string_view{R"(
  select jessica.spend($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))"};

constexpr auto spend_and_count_all = std::string_view{R"(
  select jessica.spend_all($1, $2, $3, $4, $5, $6, $7, $8))"};

constexpr auto configure = std::string_view{R"(
  select jessica.configure_quota($1, $2, $3, $4, $5, $6, $7))"};

[[nodiscard]] parameter price_of_token(std::int64_t millionths_a_million) {
  return text_of(amount{millionths_a_million});
}

} // namespace

std::optional<error> as_quota_fault(const error& what) {
  if (!what.sql || what.sql->sqlstate != raised ||
      !what.sql->message.contains(quota_exceeded))
    return std::nullopt;
  return error{errc::overloaded, "a quota is exceeded", std::string{quota_exceeded},
               what.sql};
}

error quota_fault(std::string_view refused) {
  auto fault = sql_fault{std::string{raised}, {}, {}, {}};
  fault.message = R"({"code":"quota_exceeded","details":)" + json_text(refused) + '}';
  return {errc::overloaded, "a quota is exceeded", std::string{quota_exceeded},
          std::make_shared<const sql_fault>(std::move(fault))};
}

result<quota_hold> hold_quota(connection& db, const quota_wish& what) {
  const auto made = db.run(
      {std::string{hold},
       {what.user.str(), number(what.prompt_tokens),
        what.reply_tokens ? parameter{number(*what.reply_tokens)} : parameter{}}});
  if (!made)
    return std::unexpected{made.error()};
  if (const auto refused = made->text(0, 1); !refused.empty())
    return std::unexpected{quota_fault(refused)};
  return quota_hold{made->integer(0, 0)};
}

result<void> spend(connection& db, const spending& what) {
  const auto cost = [](const usage& of) {
    return of.cost ? parameter{text_of(*of.cost)} : parameter{};
  };
  return db
      .run({std::string{spend_and_count},
            {number(what.hold.id), what.user.str(), what.model,
             number(what.used.prompt_tokens), number(what.used.completion_tokens),
             what.used.estimated ? "t" : "f", cost(what.used), number(what.replies),
             number(what.job.value), number(what.saved.prompt_tokens),
             number(what.saved.completion_tokens), cost(what.saved)}})
      .transform([](auto&&) {});
}

result<bool> spend_all(connection& db, std::span<const spending> all) {
  return db
      .run(
          {std::string{spend_and_count_all},
           {array_of(all, [](auto& one) { return number(one.hold.id); }),
            array_of(all, [](auto& one) { return one.user.str(); }),
            array_of(all, [](auto& one) { return one.model; }),
            array_of(all, [](auto& one) { return number(one.used.prompt_tokens); }),
            array_of(all, [](auto& one) { return number(one.used.completion_tokens); }),
            array_of(all, [](auto& one) { return one.used.estimated ? "t" : "f"; }),
            array_of(all,
                     [](auto& one) {
                       return one.used.cost ? std::optional{text_of(*one.used.cost)}
                                            : std::nullopt;
                     }),
            array_of(all, [](auto& one) { return number(one.replies); })}})
      .transform([](const auto& answer) { return answer.text(0, 0) == "t"; });
}

result<void> configure_quota(connection& db, const config::quota_settings& in) {
  const auto limit = [](std::uint64_t most) { return parameter{std::to_string(most)}; };
  const auto top = dearest(in.prices);
  return db
      .run({std::string{configure},
            {limit(in.replies_per_minute), limit(in.replies_per_day),
             limit(in.tokens_per_day), in.cost_per_day.empty() ? "0" : in.cost_per_day,
             limit(in.reserve_tokens), price_of_token(top.prompt),
             price_of_token(top.completion)}})
      .transform([](auto&&) {});
}

} // namespace jessica::storage
