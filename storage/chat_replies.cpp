#include "storage/batch_sql.hpp"
#include "storage/chat.hpp"
#include "storage/jobs.hpp"
#include "storage/tools_json.hpp"
#include "storage/usage_json.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto finish_replies = std::string_view{R"(
  select jessica.finish_jobs($1, $2, $3, $4, $5, $6))"};

constexpr auto save_texts = std::string_view{R"(
  select id, cancelled
  from jessica.checkpoint($1, $2, $3, $4, $5))"};

/// One row, not the database, stands in the way of a batch.
[[nodiscard]] bool concerns_rows(const error& failure) noexcept {
  return is_fault_of_data(failure) || is_locked(failure);
}

[[nodiscard]] std::vector<job_id> read_jobs(const rows& found) {
  auto jobs = std::vector<job_id>{};
  for (auto row = 0; row < found.size(); ++row)
    jobs.push_back({found.integer(row, 0)});
  return jobs;
}

/// Its usage, and the tools that it called.
[[nodiscard]] std::string outcome_json(const outcome& what) {
  auto text = usage_json(what.used, what.model, what.finish_reason);
  if (!what.tools.empty())
    text.replace(text.size() - 1, 1, R"(,"tools":)" + tools_json(what.tools) + "}");
  return text;
}

[[nodiscard]] result<std::vector<job_id>>
finish_together(connection& db, lease_id lease, std::span<const outcome> outcomes) {
  return db
      .run({std::string{finish_replies},
            {number(lease.value),
             array_of(outcomes, [](auto& what) { return number(what.job.value); }),
             array_of(outcomes, [](auto& what) { return number(what.attempt); }),
             array_of(outcomes,
                      [](auto& what) { return what.cancelled ? "cancelled" : "done"; }),
             array_of(outcomes, [](auto& what) { return what.content; }),
             array_of(outcomes, [](auto& what) { return outcome_json(what); })}})
      .transform(read_jobs);
}

/// False for a text that can never be stored: its job would run for ever, so it ends.
/// Counted is what the last checkpoint says; who hears that the job is lost counts the
/// rest, as always.
[[nodiscard]] result<bool> finish_alone(connection& db, lease_id lease,
                                        const outcome& what) {
  auto kept = finish_together(db, lease, {&what, 1});
  if (kept)
    return !kept->empty();
  if (!is_fault_of_data(kept.error()))
    return std::unexpected{std::move(kept.error())};
  const auto why = failure{.job = what.job,
                           .what = "the reply could not be stored",
                           .retryable = false,
                           .used = {},
                           .model = what.model};
  return fail_jobs(db, lease, {&why, 1}).transform([](auto&&) { return false; });
}

[[nodiscard]] result<std::vector<job_hold>>
save_together(connection& db, lease_id lease, std::span<const checkpoint> checkpoints) {
  const auto found =
      db.run({std::string{save_texts},
              {number(lease.value),
               array_of(checkpoints, [](auto& what) { return number(what.job.value); }),
               array_of(checkpoints, [](auto& what) { return number(what.attempt); }),
               array_of(checkpoints, [](auto& what) { return what.partial; }),
               array_of(checkpoints, [](auto& what) {
                 return usage_json(what.used, what.model, {});
               })}});
  if (!found)
    return std::unexpected{found.error()};
  auto known = std::unordered_map<job_id, job_hold>{};
  for (auto row = 0; row < found->size(); ++row)
    known.emplace(job_id{found->integer(row, 0)},
                  found->text(row, 1) == "t" ? job_hold::cancelled : job_hold::ours);
  auto holds = std::vector<job_hold>{};
  for (const auto& what : checkpoints) {
    const auto hold = known.find(what.job);
    holds.push_back(hold == known.end() ? job_hold::lost : hold->second);
  }
  return holds;
}

} // namespace

result<std::vector<result<bool>>> finish(connection& db, lease_id lease,
                                         std::span<const outcome> outcomes) {
  auto answers = std::vector<result<bool>>{};
  if (outcomes.empty())
    return answers;
  auto kept = finish_together(db, lease, outcomes);
  if (kept) {
    for (const auto& what : outcomes)
      answers.emplace_back(std::ranges::contains(*kept, what.job));
    return answers;
  }
  if (!concerns_rows(kept.error()))
    return std::unexpected{std::move(kept.error())};
  for (const auto& what : outcomes)
    answers.push_back(finish_alone(db, lease, what));
  return answers;
}

result<std::vector<job_hold>> save(connection& db, lease_id lease,
                                   std::span<const checkpoint> checkpoints) {
  if (checkpoints.empty())
    return std::vector<job_hold>{};
  auto saved = save_together(db, lease, checkpoints);
  if (saved || !concerns_rows(saved.error()))
    return saved;
  // A row that cannot be stored loses its checkpoint, and no other's.
  auto holds = std::vector<job_hold>{};
  for (const auto& what : checkpoints) {
    auto alone = save_together(db, lease, {&what, 1});
    if (!alone && !concerns_rows(alone.error()))
      return alone;
    holds.push_back(alone ? alone->front() : job_hold::ours);
  }
  return holds;
}

} // namespace jessica::storage
