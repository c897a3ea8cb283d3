#include "app/job_commands.hpp"

#include "app/complaint.hpp"
#include "app/database.hpp"
#include "storage/job_admin.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <functional>
#include <optional>
#include <string_view>

namespace jessica::app {
namespace {

constexpr auto most_listed = std::size_t{200};
constexpr auto statuses =
    std::array<std::string_view, 5>{"queued", "running", "done", "dead", "cancelled"};

/// Runs on the database as it is: no migration.
int with_database(const config::settings& settings,
                  const std::function<result<void>(storage::connection&)>& run) {
  auto db = database::attach(settings.storage);
  if (!db)
    return failed(db.error().what);
  auto connection = storage::connection{db->where(), storage::role::migrations};
  const auto ran = run(connection);
  db->close();
  return ran ? 0 : failed(ran.error().what);
}

[[nodiscard]] result<std::vector<job_id>>
read_ids(const std::vector<std::string>& words) {
  if (words.empty())
    return fail(errc::invalid_input, "which job? give its number, or several");
  auto ids = std::vector<job_id>{};
  for (const auto& word : words) {
    auto id = job_id{};
    const auto text = word.starts_with('m'); // m17: of message 17, see job_summary
    const auto* const end = word.data() + word.size();
    const auto read = std::from_chars(word.data() + (text ? 1 : 0), end, id.value);
    if (read.ec != std::errc{} || read.ptr != end || id.value < 1)
      return fail(errc::invalid_input, "not a job's number: " + word);
    ids.push_back(text ? job_id{-id.value} : id);
  }
  return ids;
}

void print_row(const storage::job_summary& job) {
  const auto number = job.id.value < 0 ? "m" + std::to_string(-job.id.value)
                                       : std::to_string(job.id.value);
  std::printf("%10s  %-9s  %2lld/%-2lld  %-10s  %-8s  %-36s  %s%s%s\n", number.c_str(),
              job.status.c_str(), static_cast<long long>(job.attempts),
              static_cast<long long>(job.max_attempts), job.age.c_str(),
              job.due_in.c_str(), job.user.c_str(), job.node.c_str(),
              job.node.empty() || job.last_error.empty() ? "" : "  ",
              job.last_error.c_str());
}

/// Changes the named jobs and says how many it were.
int change(const config::settings& settings, const std::vector<std::string>& words,
           const char* done_to,
           result<std::int64_t> (*how)(storage::connection&, std::span<const job_id>)) {
  const auto ids = read_ids(words);
  if (!ids)
    return misused(ids.error().what);
  return with_database(settings, [&](storage::connection& db) {
    return how(db, *ids).transform([&](std::int64_t count) {
      std::printf("%lld of %zu %s\n", static_cast<long long>(count), ids->size(),
                  done_to);
    });
  });
}

} // namespace

int list_jobs(const config::settings& settings, const std::vector<std::string>& words) {
  if (words.size() > 1 ||
      (!words.empty() && !std::ranges::contains(statuses, words[0])))
    return misused("jobs list takes queued, running, done, dead, cancelled or nothing");
  const auto status = words.empty() ? std::optional<std::string_view>{}
                                    : std::optional<std::string_view>{words[0]};
  return with_database(settings, [&](storage::connection& db) {
    return storage::list_jobs(db, status, most_listed).transform([](const auto& jobs) {
      std::printf("%10s  %-9s  %-5s  %-10s  %-8s  %-36s  %s\n", "job", "status",
                  "tries", "age", "due in", "user", "node, error");
      std::ranges::for_each(jobs, print_row);
    });
  });
}

int show_job(const config::settings& settings, const std::vector<std::string>& words) {
  const auto ids = read_ids(words);
  if (!ids || ids->size() != 1)
    return misused(ids ? "one job at a time" : ids.error().what);
  return with_database(settings, [&](storage::connection& db) {
    return storage::show_job(db, ids->front()).transform([](const auto& fields) {
      for (const auto& [name, value] : fields)
        std::printf("%-16s  %s\n", name.c_str(), value.c_str());
    });
  });
}

int retry_jobs(const config::settings& settings,
               const std::vector<std::string>& words) {
  return change(settings, words, "dead jobs will be tried again", storage::retry_jobs);
}

int cancel_jobs(const config::settings& settings,
                const std::vector<std::string>& words) {
  return change(settings, words, "unfinished jobs will be stopped",
                storage::cancel_jobs);
}

} // namespace jessica::app
