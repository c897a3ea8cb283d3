// The job queue as an operator sees it. Role: migrations.
#pragma once

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "storage/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {

/// Texts are as PostgreSQL prints them; empty: not known.
struct job_summary {
  job_id id; ///< negative: the work of a message's text, by the message's number
  std::string status;
  std::string kind;
  std::int64_t attempts = 0;
  std::int64_t max_attempts = 0;
  std::string user;
  std::string age;        ///< since it was made
  std::string due_in;     ///< until a queued one may run
  std::string node;       ///< where a running one runs
  std::string last_error; ///< in one line
};

/// Jobs, newest first; then texts that wait for their vectors, oldest first. No status:
/// all that are not done or cancelled.
[[nodiscard]] result<std::vector<job_summary>>
list_jobs(connection& db, std::optional<std::string_view> status, std::size_t limit);

/// Everything about one job, as names and values; of a negative number, about the work
/// of a text. Fails: not_found.
[[nodiscard]] result<std::vector<std::pair<std::string, std::string>>>
show_job(connection& db, job_id id);

/// Gives dead jobs five more attempts; how many were dead.
[[nodiscard]] result<std::int64_t> retry_jobs(connection& db,
                                              std::span<const job_id> ids);
/// Stops unfinished jobs as their users could; how many there were.
[[nodiscard]] result<std::int64_t> cancel_jobs(connection& db,
                                               std::span<const job_id> ids);

} // namespace jessica::storage
