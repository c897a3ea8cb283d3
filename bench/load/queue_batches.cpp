#include "bench/load/queue_batches.hpp"

#include "bench/load/queue_cost.hpp"
#include "bench/load/queue_lanes.hpp"
#include "storage/chat.hpp"
#include "storage/jobs.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <span>
#include <utility>

namespace jessica::bench {
namespace {

constexpr auto enqueue_lanes = std::size_t{2};

[[nodiscard]] double a_second(std::size_t jobs, std::chrono::nanoseconds took) {
  return static_cast<double>(jobs) / std::chrono::duration<double>{took}.count();
}

[[nodiscard]] result<std::size_t> finish_jobs(storage::connection& db, lease_id lease,
                                              std::span<const job_id> ids) {
  auto outcomes = std::vector<outcome>{};
  std::ranges::transform(ids, std::back_inserter(outcomes), outcome_of);
  return storage::finish(db, lease, outcomes).transform([](const auto& answers) {
    const auto stored = [](const result<bool>& one) { return one && *one; };
    return static_cast<std::size_t>(std::ranges::count_if(answers, stored));
  });
}

/// Until all jobs are claimed, by whomever. A claim may find nothing although there is
/// something, when another takes it at the same time.
[[nodiscard]] result<std::size_t> drain(storage::connection& db, lease_id lease,
                                        std::size_t batch,
                                        std::atomic<std::ptrdiff_t>& unclaimed) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  auto finished = std::size_t{0};
  while (unclaimed > 0) {
    const auto claimed = claim_jobs(db, lease, batch);
    if (!claimed)
      return std::unexpected{claimed.error()};
    if (std::chrono::steady_clock::now() > end)
      return fail(errc::timeout, "jobs that are ready were not claimed in a minute");
    if (claimed->empty())
      continue;
    unclaimed -= static_cast<std::ptrdiff_t>(claimed->size());
    auto ids = std::vector<job_id>{};
    std::ranges::transform(*claimed, std::back_inserter(ids), &job::id);
    const auto stored = finish_jobs(db, lease, ids);
    if (!stored)
      return std::unexpected{stored.error()};
    finished += *stored;
  }
  return finished;
}

[[nodiscard]] result<processed_jobs> process(lanes& on, const queue_work& what,
                                             lease_id lease,
                                             std::span<const job_id> ids) {
  auto finished = std::atomic{std::size_t{0}};
  const auto finish_some = [&](storage::connection& db, std::size_t from,
                               std::size_t to) -> result<void> {
    return finish_jobs(db, lease, ids.subspan(from, to - from))
        .transform([&](std::size_t stored) { finished += stored; });
  };
  auto unclaimed = std::atomic{static_cast<std::ptrdiff_t>(ids.size())};
  const auto drain_all = [&](storage::connection& db) {
    return drain(db, lease, what.batch, unclaimed).transform([&](std::size_t stored) {
      finished += stored;
    });
  };
  const auto took = what.born_leased
                        ? share_out(on, ids.size(), what.batch, finish_some)
                        : side_by_side(on, drain_all);
  return took.transform([&](auto time) { return processed_jobs{finished, time, {}}; });
}

/// The ids of jobs, a column each, for arrays of any part of them.
class job_columns {
public:
  explicit job_columns(const storage::rows& from) {
    for (auto row = 0; row < from.size(); ++row)
      for (auto column = std::size_t{0}; column < columns_.size(); ++column)
        columns_[column].emplace_back(from.text(row, static_cast<int>(column)));
  }

  [[nodiscard]] std::vector<storage::parameter> arrays(std::size_t from,
                                                       std::size_t to) const {
    auto all = std::vector<storage::parameter>{};
    for (const auto& column : columns_)
      all.emplace_back(
          storage::array_literal(std::span{column}.subspan(from, to - from)));
    return all;
  }

private:
  std::array<std::vector<storage::parameter>, 4> columns_;
};

} // namespace

result<std::vector<job>> claim_jobs(storage::connection& db, lease_id lease,
                                    std::size_t want) {
  return storage::claim(db, lease, {want, jobs_of_one_user, {}})
      .transform(
          [](storage::claimed_jobs&& claimed) { return std::move(claimed.jobs); });
}

outcome outcome_of(job_id id) {
  return {.job = id,
          .attempt = 1,
          .cancelled = false,
          .content = "A short reply to it: nobody was asked for a longer one.",
          .used = {}};
}

result<queued_jobs> enqueue_jobs(queue_database& db, lease_id lease, std::size_t jobs) {
  if (auto empty = db.clear(); !empty)
    return std::unexpected{std::move(empty.error())};
  auto on = connect(db.where(), storage::role::engine, enqueue_lanes);
  if (!on)
    return std::unexpected{std::move(on.error())};
  auto made = queued_jobs{std::vector<job_id>(jobs), {}};
  const auto took = share_out(
      *on, jobs, enqueue_batch,
      [&](storage::connection& to, std::size_t from, std::size_t end) -> result<void> {
        const auto stored = storage::enqueue(to, lease, db.turns(from, end - from));
        if (!stored)
          return std::unexpected{stored.error()};
        for (auto i = from; i < end; ++i) {
          const auto& one = stored->at(i - from);
          if (!one)
            return std::unexpected{one.error()};
          made.ids[i] = one->job;
        }
        return {};
      });
  if (!took)
    return std::unexpected{took.error()};
  made.took = *took;
  return db.analyze().transform([&] { return std::move(made); });
}

result<queue_score> score_of(queue_database& db, const queued_jobs& made,
                             const processed_jobs& done) {
  const auto jobs = made.ids.size();
  const auto astray = std::max(jobs, done.finished) - std::min(jobs, done.finished);
  return db.unfinished().transform([&](std::uint64_t left) {
    return queue_score{a_second(jobs, made.took), a_second(jobs, done.took),
                       static_cast<double>(done.cost.count()) /
                           static_cast<double>(jobs),
                       astray + left};
  });
}

result<queue_score> run_batches(queue_database& db, const queue_work& what) {
  auto on = connect(db.where(), storage::role::engine, what.connections);
  if (!on)
    return std::unexpected{std::move(on.error())};
  const auto lease = db.join();
  if (!lease)
    return std::unexpected{lease.error()};
  const auto run = [&](std::size_t jobs) -> result<queue_score> {
    const auto made = enqueue_jobs(db, what.born_leased ? *lease : lease_id{}, jobs);
    if (!made)
      return std::unexpected{made.error()};
    const auto meter = cost_meter{db.postmaster()};
    auto done = process(*on, what, *lease, made->ids);
    if (!done)
      return std::unexpected{done.error()};
    done->cost = meter.took();
    return score_of(db, *made, *done);
  };
  return run(warm_up_jobs).and_then([&](const auto&) { return run(what.jobs); });
}

result<double> run_bare_inserts(queue_database& db, std::size_t jobs) {
  if (auto made = enqueue_jobs(db, {}, jobs); !made)
    return std::unexpected{std::move(made.error())};
  const auto known = db.forget_jobs();
  if (!known)
    return std::unexpected{known.error()};
  const auto columns = job_columns{*known};
  auto on = connect(db.where(), storage::role::migrations, enqueue_lanes);
  if (!on)
    return std::unexpected{std::move(on.error())};
  const auto insert = [&](storage::connection& to, std::size_t from, std::size_t end) {
    return to
        .run({R"(insert into public.inference_jobs
                   (user_id, conversation_id, message_id, reply_id)
                 select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]))",
              columns.arrays(from, end)})
        .transform([](const storage::rows&) {});
  };
  return share_out(*on, jobs, enqueue_batch, insert).transform([&](auto took) {
    return a_second(jobs, took);
  });
}

} // namespace jessica::bench
