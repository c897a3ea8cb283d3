#include "bench/load/change_writer.hpp"

#include "storage/connection.hpp"

#include <algorithm>
#include <array>
#include <thread>

namespace jessica::bench {
namespace {

constexpr auto body = std::string_view{"A row of ordinary length: what a message in a "
                                       "chat, or a task in a list, may say."};

} // namespace

result<void> make_followed_table(const storage::endpoint& where) {
  constexpr auto definitions = std::array{
      "create table public.bench_changes (n bigint primary key, user_id uuid not null, "
      "body text not null)",
      "alter table public.bench_changes enable row level security",
      "create policy own on public.bench_changes for select to authenticated "
      "using ((select auth.uid()) = user_id)",
      "grant select on public.bench_changes to authenticated",
      "alter publication supabase_realtime add table public.bench_changes"};
  auto db = storage::connection{where, storage::role::migrations};
  for (const auto* const one : definitions)
    if (auto made = db.run(storage::statement{one, {}}); !made)
      return std::unexpected{std::move(made.error())};
  return {};
}

change_writer::change_writer(storage::endpoint where,
                             std::span<const std::string> users, writer_place at,
                             pace how, commit_budget& budget)
    : where_(std::move(where)), at_(at), how_(how), budget_(budget), rows_(at.first) {
  const auto ids = std::vector<storage::parameter>(users.begin(), users.end());
  users_ = storage::array_literal(ids);
}

/// The writers take turns.
change_writer::clock::time_point
change_writer::next_due(clock::time_point begun) const {
  if (how_.rate == 0)
    return begun;
  const auto before = done_.size() * at_.writers + at_.number;
  return begun +
         std::chrono::duration_cast<clock::duration>(
             std::chrono::duration<double>{static_cast<double>(before) / how_.rate});
}

result<void> change_writer::await_turn(clock::time_point due) {
  constexpr auto patience = std::chrono::seconds{20};
  if (how_.rate > 0)
    std::this_thread::sleep_until(due);
  else if (!budget_.try_acquire_for(patience))
    return fail(errc::timeout, "committed rows were not delivered");
  return {};
}

result<void> change_writer::run() {
  auto db = storage::connection{where_, storage::role::migrations};
  if (auto connected = db.ensure(); !connected)
    return connected;
  const auto begun = clock::now();
  for (auto next = at_.first;; next += how_.rows) {
    auto one = commit{.due = next_due(begun), .sent = {}, .acknowledged = {}};
    if (std::max(one.due, clock::now()) >= begun + how_.length)
      return {};
    if (auto turn = await_turn(one.due); !turn)
      return turn;
    one.sent = clock::now();
    rows_ = next + how_.rows; // before anybody can hear of them
    auto stored = db.run(
        {"insert into public.bench_changes (n, user_id, body) "
         "select r * $5::bigint + $6::bigint, "
         "($1::uuid[])[r % cardinality($1::uuid[]) + 1], $4 "
         "from generate_series($2::bigint, $3::bigint) r",
         {users_, std::to_string(next), std::to_string(next + how_.rows - 1),
          std::string{body}, std::to_string(at_.writers), std::to_string(at_.number)}});
    if (!stored)
      return std::unexpected{std::move(stored.error())};
    one.acknowledged = clock::now();
    done_.push_back(one);
  }
}

} // namespace jessica::bench
