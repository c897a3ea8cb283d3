#include "storage/job_admin.hpp"

#include "storage/batch_sql.hpp"

#include <utility>

namespace jessica::storage {
namespace {

constexpr auto list = std::string_view{R"(
  (select j.id, j.status, j.kind, coalesce(u.attempt, r.attempt, j.attempts),
    j.max_attempts, j.user_id, date_trunc('second', now() - j.created_at),
    case when r.run_at > now() then date_trunc('second', r.run_at - now()) end,
    n.node, translate(j.last_error, E'\n\t', '  ')
  from public.inference_jobs j
  left join jessica.running u on u.id = j.id
  left join jessica.nodes n on n.lease = u.lease
  left join jessica.ready r on r.id = j.id
  where case when $1::text is null then j.status in ('queued', 'running', 'dead')
    else j.status = $1 end
  order by j.id desc limit $2)
  union all
  (select -t.seq, t.status, 'embedding', t.attempts, 5, t.user_id,
    date_trunc('second', now() - t.since),
    case when t.status = 'queued' and t.due_at > now()
      then date_trunc('second', t.due_at - now()) end,
    t.node, translate(t.last_error, E'\n\t', '  ')
  from jessica.texts t
  where ($1::text is null or t.status = $1)
    and not exists (
      select from public.inference_jobs j
      where j.message_id = t.message_id and j.kind = 'embedding' and j.status = 'queued')
  order by t.rank, t.seq limit $2)
  limit $2)"};

constexpr auto show_text = std::string_view{R"(
  select f.key, f.value
  from jessica.texts t, lateral jsonb_each_text(to_jsonb(t)) with ordinality f
  where t.rank in (0, 1) and t.seq = -$1::bigint
  order by t.rank, f.ordinality)"};

constexpr auto show = std::string_view{R"(
  select f.key, f.value
  from public.inference_jobs j
  left join jessica.running u on u.id = j.id
  left join jessica.nodes n on n.lease = u.lease
  left join jessica.ready r on r.id = j.id,
  lateral jsonb_each_text(to_jsonb(j) || jsonb_build_object(
    'node', n.node, 'node_lease', u.lease, 'running_attempt', u.attempt,
    'ready_at', r.run_at)) with ordinality f
  where j.id = $1
  order by f.ordinality)"};

[[nodiscard]] parameter array_of_ids(std::span<const job_id> ids) {
  return array_of(ids, [](job_id id) { return number(id.value); });
}

} // namespace

result<std::vector<job_summary>>
list_jobs(connection& db, std::optional<std::string_view> status, std::size_t limit) {
  const auto found =
      db.run({std::string{list},
              {status.transform([](auto text) { return std::string{text}; }),
               std::to_string(limit)}});
  if (!found)
    return std::unexpected{found.error()};
  auto jobs = std::vector<job_summary>{};
  for (auto row = 0; row < found->size(); ++row) {
    const auto text = [&](int column) { return std::string{found->text(row, column)}; };
    jobs.push_back({.id = {found->integer(row, 0)},
                    .status = text(1),
                    .kind = text(2),
                    .attempts = found->integer(row, 3),
                    .max_attempts = found->integer(row, 4),
                    .user = text(5),
                    .age = text(6),
                    .due_in = text(7),
                    .node = text(8),
                    .last_error = text(9)});
  }
  return jobs;
}

result<std::vector<std::pair<std::string, std::string>>> show_job(connection& db,
                                                                  job_id id) {
  const auto found =
      db.run({std::string{id.value < 0 ? show_text : show}, {number(id.value)}});
  if (!found)
    return std::unexpected{found.error()};
  if (found->size() == 0)
    return id.value < 0
               ? fail(errc::not_found, "there is no text m" +
                                           std::to_string(-id.value) +
                                           " that waits for its vectors")
               : fail(errc::not_found, "there is no job " + std::to_string(id.value));
  auto fields = std::vector<std::pair<std::string, std::string>>{};
  for (auto row = 0; row < found->size(); ++row)
    if (!found->null(row, 1))
      fields.emplace_back(found->text(row, 0), found->text(row, 1));
  return fields;
}

result<std::int64_t> retry_jobs(connection& db, std::span<const job_id> ids) {
  return db.run({"select jessica.retry_dead($1)", {array_of_ids(ids)}})
      .transform([](const rows& row) { return row.integer(0, 0); });
}

result<std::int64_t> cancel_jobs(connection& db, std::span<const job_id> ids) {
  return db
      .run({"update public.inference_jobs set cancel_requested = true "
            "where id = any ($1) and status in ('queued', 'running')",
            {array_of_ids(ids)}})
      .transform([](const rows& row) { return row.affected(); });
}

} // namespace jessica::storage
