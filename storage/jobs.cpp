#include "storage/jobs.hpp"

#include <string>
#include <unordered_map>
#include <utility>

namespace jessica::storage {
namespace {

[[nodiscard]] parameter number(std::int64_t value) {
  return std::to_string(value);
}

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
          .cancelled = found.text(row, 7) == "t"};
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

result<std::vector<job>> claim(connection& db, lease_id lease, std::size_t want) {
  const auto claimed = db.run({R"(
      select id, attempt, user_id, conversation_id, message_id, reply_id, params,
             cancelled
      from jessica.claim_jobs($1, '{inference}', $2))",
                               {number(lease.value), std::to_string(want)}});
  return claimed.transform([](const rows& found) {
    auto jobs = std::vector<job>{};
    for (auto row = 0; row < found.size(); ++row)
      jobs.push_back(read_job(found, row));
    return jobs;
  });
}

result<std::vector<job_status>> fail_jobs(connection& db, lease_id lease,
                                          std::span<const failure> failures) {
  if (failures.empty())
    return std::vector<job_status>{};
  auto ids = std::vector<parameter>{};
  auto causes = std::vector<parameter>{};
  auto retryable = std::vector<parameter>{};
  for (const auto& what : failures) {
    ids.push_back(number(what.job.value));
    causes.emplace_back(what.what);
    retryable.emplace_back(what.retryable ? "t" : "f");
  }
  const auto answered =
      db.run({"select id, status from jessica.fail_jobs($1, $2, $3, $4)",
              {number(lease.value), array_literal(ids), array_literal(causes),
               array_literal(retryable)}});
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
