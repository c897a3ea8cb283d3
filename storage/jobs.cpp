#include "storage/jobs.hpp"

#include "storage/batch_sql.hpp"
#include "storage/usage_json.hpp"
#include "storage/wal_stream.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

namespace jessica::storage {
namespace {

[[nodiscard]] job read_job(const rows& found, int row) {
  const auto id = [&](int column) {
    return uuid::parse(found.text(row, column)).value_or(uuid{});
  };
  return {.id = {found.integer(row, 0)},
          .attempt = static_cast<std::int32_t>(found.integer(row, 1)),
          .user = {id(2)},
          .conversation = {id(3)},
          .message = {id(4)},
          .reply = {id(5)},
          .params = std::string{found.text(row, 6)},
          .cancelled = found.text(row, 7) == "t",
          .kept = found.integer(row, 8)};
}

[[nodiscard]] std::vector<job_id> read_ids(const rows& found) {
  auto jobs = std::vector<job_id>{};
  for (auto row = 0; row < found.size(); ++row)
    jobs.push_back({found.integer(row, 0)});
  return jobs;
}

[[nodiscard]] job_status read_status(std::string_view text) {
  if (text == "queued")
    return job_status::queued;
  if (text == "dead")
    return job_status::dead;
  return job_status::cancelled;
}

} // namespace

result<lease_id> join_node(connection& db, std::string_view node,
                           std::chrono::seconds lease) {
  const auto joined = db.run({"select jessica.join_node($1, make_interval(secs => $2))",
                              {std::string{node}, number(lease.count())}});
  return joined.transform([](const rows& row) { return lease_id{row.integer(0, 0)}; });
}

result<bool> renew(connection& db, lease_id lease, std::chrono::seconds time) {
  const auto renewed =
      db.run({"select coalesce(jessica.renew($1, make_interval(secs => $2)), false)",
              {number(lease.value), number(time.count())}});
  return renewed.transform([](const rows& row) { return row.text(0, 0) == "t"; });
}

result<void> leave_node(connection& db, lease_id lease) {
  return db.run({"select jessica.leave($1)", {number(lease.value)}})
      .transform([](const rows&) {});
}

result<std::int64_t> sweep(connection& db) {
  return db.run({"select jessica.sweep()", {}}).transform([](const rows& row) {
    return row.integer(0, 0);
  });
}

result<claimed_jobs> claim(connection& db, lease_id lease, const claim_wish& wish) {
  auto skipped = std::vector<parameter>{};
  for (const auto& user : wish.skip)
    skipped.emplace_back(user.str());
  const auto skip = array_literal(skipped);
  const auto found = db.run({R"(
      select id, attempt, user_id, conversation_id, message_id, reply_id, params,
             cancelled, kept
      from jessica.claim_jobs($1, '{inference}', $2, $3, $4))",
                             {number(lease.value), std::to_string(wish.want),
                              std::to_string(wish.each), skip}});
  if (!found)
    return std::unexpected{found.error()};
  auto claimed = claimed_jobs{};
  for (auto row = 0; row < found->size(); ++row)
    claimed.jobs.push_back(read_job(*found, row));
  if (claimed.jobs.size() == wish.want) { // there may be more: no need to look
    claimed.next_due = std::chrono::milliseconds{0};
    return claimed;
  }
  const auto due = db.run({R"(
      select ceil(1000 * extract(epoch from due - now()))::bigint
      from jessica.next_due('{inference}', $1) due)",
                           {skip}});
  // What was claimed is ours, whatever became of the question.
  if (due && !due->null(0, 0))
    claimed.next_due =
        std::chrono::milliseconds{std::max(due->integer(0, 0), std::int64_t{0})};
  return claimed;
}

result<std::vector<job_id>> cancelled_jobs(connection& db, std::string_view snapshot) {
  const auto ask = statement{"select jessica.cancelled_jobs()", {}};
  const auto found = run_in_snapshot(db, snapshot, {&ask, 1});
  if (!found)
    return std::unexpected{found.error()};
  return read_ids(found->front());
}

result<std::vector<job_id>> held_jobs(connection& db, lease_id lease) {
  return db.run({"select jessica.held_jobs($1)", {number(lease.value)}})
      .transform(read_ids);
}

result<std::int64_t> hand_back(connection& db, lease_id lease,
                               std::span<const job_id> jobs) {
  auto ids = std::vector<parameter>{};
  for (const auto id : jobs)
    ids.push_back(number(id.value));
  return db
      .run({"select jessica.hand_back($1, $2)",
            {number(lease.value), array_literal(ids)}})
      .transform([](const rows& row) { return row.integer(0, 0); });
}

result<std::vector<job_status>> fail_jobs(connection& db, lease_id lease,
                                          std::span<const failure> failures) {
  if (failures.empty())
    return std::vector<job_status>{};
  auto ids = std::vector<parameter>{};
  auto causes = std::vector<parameter>{};
  auto retryable = std::vector<parameter>{};
  auto usages = std::vector<parameter>{};
  for (const auto& what : failures) {
    ids.push_back(number(what.job.value));
    causes.emplace_back(what.what);
    retryable.emplace_back(what.retryable ? "t" : "f");
    usages.emplace_back(usage_json(what.used, what.model, {}));
  }
  const auto answered =
      db.run({"select id, status from jessica.fail_jobs($1, $2, $3, $4, false, $5)",
              {number(lease.value), array_literal(ids), array_literal(causes),
               array_literal(retryable), array_literal(usages)}});
  return answered.transform([&](const rows& found) {
    auto known = std::unordered_map<job_id, job_status>{};
    for (auto row = 0; row < found.size(); ++row)
      known.emplace(job_id{found.integer(row, 0)}, read_status(found.text(row, 1)));
    auto statuses = std::vector<job_status>{};
    for (const auto& what : failures) {
      const auto status = known.find(what.job);
      statuses.push_back(status == known.end() ? job_status::lost : status->second);
    }
    return statuses;
  });
}

} // namespace jessica::storage
