#include "actors/catalog.hpp"
#include "actors/clerk.hpp"
#include "actors/persistence.hpp"
#include "actors/porter.hpp"
#include "actors/reader.hpp"
#include "actors/services.hpp"
#include "actors/teller.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace jessica::actors {
namespace {

[[nodiscard]] clerk_actor start_clerk(service_roll& roll, const system_options& options,
                                      const catalog_actor& catalog, std::string name,
                                      std::size_t lines, bool writes) {
  const auto& set = options.settings.storage;
  const auto limits = storage::rest_limits{static_cast<std::int64_t>(set.max_rows),
                                           set.statement_timeout};
  const auto opener =
      roll.threaded_anew("PORTER", porter, [database = options.database, limits] {
        return lines_to(database, limits);
      });
  return roll.scheduled("CLERK", clerk,
                        clerk_deps{std::move(name), opener, catalog, options.sockets,
                                   lines, options.settings.rest.queue, writes});
}

[[nodiscard]] persistence_actor start_persistence(service_roll& roll,
                                                  const system_options& options) {
  const auto& limits = options.settings.storage;
  const auto rule =
      limits.send_rule == "policies" ? send_rule::policies : send_rule::owner;
  const auto& database = options.database;
  auto deps = persistence_deps{{}, {}, limits.batch_rows, limits.write_queue};
  for (auto i = std::size_t{0}; i < limits.writers; ++i)
    deps.committers.push_back(
        roll.threaded_anew("COMMITTER", committer,
                           [database, rule] { return commit_to(database, rule); }));
  deps.progress = roll.threaded_anew(
      "COMMITTER", committer, [database] { return commit_progress_to(database); });
  return roll.scheduled("PERSISTENCE", persistence, deps);
}

/// As much of a conversation as an engine may use: a token is hardly ever longer than
/// eight bytes.
[[nodiscard]] storage::prompt_limits history_limits(const config::settings& set) {
  constexpr auto bytes_of_token = std::size_t{8};
  auto limits = storage::prompt_limits{.turns = set.inference.history_turns};
  if (set.engine.context_tokens > 0)
    limits.bytes = std::min(limits.bytes, set.engine.context_tokens * bytes_of_token);
  return limits;
}

} // namespace

storage_services start_storage(service_roll& roll, const system_options& options) {
  constexpr auto tells_that_may_wait = std::size_t{4096};
  const auto& set = options.settings;
  auto made = storage_services{};
  made.readers =
      roll.pooled("readers", set.storage.readers, set.storage.read_queue, reader,
                  reader_options{options.database, history_limits(set)});
  made.catalog =
      roll.threaded("CATALOG", catalog,
                    catalog_deps{read_schema_of(options.database),
                                 std::make_shared<std::vector<clerk_actor>>()});
  made.rest_readers =
      start_clerk(roll, options, made.catalog, "REST readers", set.rest.readers, false);
  made.rest_writers =
      start_clerk(roll, options, made.catalog, "REST writers", set.rest.writers, true);
  made.persistence = start_persistence(roll, options);
  made.teller = roll.pooled("TELLER", 1, tells_that_may_wait, teller, options.database);
  return made;
}

} // namespace jessica::actors
