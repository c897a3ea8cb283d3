#include "bench/load/queue_database.hpp"

#include "storage/jobs.hpp"
#include "storage/migrate.hpp"

#include <chrono>
#include <span>
#include <string_view>

namespace jessica::bench {
namespace {

/// More than the rows of two batches: those under way never meet in a conversation.
constexpr auto people = std::size_t{4000};
constexpr auto content =
    std::string_view{"A message of ordinary length, as people send them to a chat."};

[[nodiscard]] result<void> run(storage::connection& db, std::string_view sql,
                               std::vector<storage::parameter> values = {}) {
  return db.run(storage::statement{std::string{sql}, std::move(values)})
      .transform([](const storage::rows&) {});
}

} // namespace

queue_database::queue_database(storage::cluster cluster, std::filesystem::path socket)
    : cluster_(std::move(cluster)),
      socket_(std::move(socket)),
      admin_(cluster_.where(), storage::role::migrations) {}

result<queue_database> queue_database::open(const std::filesystem::path& home) {
  auto options = storage::cluster_options{};
  options.directory = home / "postgres";
  auto cluster = storage::cluster::open(options);
  if (!cluster)
    return std::unexpected{std::move(cluster.error())};
  constexpr auto patience = std::chrono::seconds{30};
  if (auto migrated =
          storage::migrate(cluster->where(), storage::migrations(), patience);
      !migrated)
    return std::unexpected{std::move(migrated.error())};
  auto made = queue_database{std::move(*cluster), options.directory / "s"};
  const auto quiet = run(made.admin_, "select cron.unschedule(jobid) from cron.job");
  if (!quiet)
    return std::unexpected{quiet.error()};
  return made.make_people().transform([&] { return std::move(made); });
}

result<void> queue_database::make_people() {
  auto users = std::vector<storage::parameter>{};
  auto conversations = std::vector<storage::parameter>{};
  for (auto i = std::size_t{0}; i < people; ++i) {
    const auto& seat = seats_.emplace_back(user_id::make(), conversation_id::make());
    users.emplace_back(seat.first.str());
    conversations.emplace_back(seat.second.str());
  }
  const auto both = std::vector<storage::statement>{
      {"insert into auth.users (id) select unnest($1::uuid[])",
       {storage::array_literal(users)}},
      {"insert into public.conversations (id, user_id) "
       "select * from unnest($1::uuid[], $2::uuid[])",
       {storage::array_literal(conversations), storage::array_literal(users)}}};
  return admin_.run(std::span{both}).transform([](const auto&) {});
}

result<void> queue_database::clear() {
  auto emptied = run(admin_, "truncate public.messages, public.inference_jobs, "
                             "public.embeddings, jessica.ready, jessica.running");
  return emptied.and_then([&] { return run(admin_, "checkpoint"); });
}

result<storage::rows> queue_database::forget_jobs() {
  auto known = admin_.run(
      storage::statement{"select user_id, conversation_id, message_id, reply_id "
                         "from public.inference_jobs order by id",
                         {}});
  return run(admin_, "truncate public.inference_jobs, jessica.ready, jessica.running")
      .and_then([&] { return std::move(known); });
}

result<void> queue_database::analyze() {
  return run(admin_, "analyze");
}

result<lease_id> queue_database::join() {
  constexpr auto long_enough = std::chrono::hours{1};
  return storage::join_node(admin_, "bench", long_enough);
}

std::vector<turn> queue_database::turns(std::size_t first, std::size_t count) const {
  auto all = std::vector<turn>{};
  all.reserve(count);
  for (auto i = first; i < first + count; ++i) {
    const auto& [author, conversation] = seats_[i % seats_.size()];
    all.push_back(turn{.author = author,
                       .conversation = conversation,
                       .opens = false,
                       .content = std::string{content},
                       .client_id = {},
                       .params = "{}"});
  }
  return all;
}

result<std::uint64_t> queue_database::unfinished() {
  const auto counted = admin_.run(storage::statement{
      R"(select (select count(*) from public.inference_jobs where status <> 'done')
              + (select count(*) from public.messages where status <> 'complete')
              + (select count(*) from jessica.ready)
              + (select count(*) from jessica.running))",
      {}});
  return counted.transform([](const storage::rows& found) {
    return static_cast<std::uint64_t>(found.integer(0, 0));
  });
}

} // namespace jessica::bench
