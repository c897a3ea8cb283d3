#include "app/commands.hpp"

#include "app/database.hpp"
#include "app/keys.hpp"
#include "app/serve.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <string_view>

namespace jessica::app {
namespace {

struct command {
  std::string_view words;
  std::string_view meaning;
  int (*run)(const config::settings&);
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

int show_keys(const config::settings& settings) {
  auto keys = open_keys(settings.storage.directory / "keys.json");
  if (!keys)
    return complain(keys.error());
  std::printf("anon_key        %s\nservice_key     %s\n"
              "publishable_key %s\nsecret_key      %s\n",
              keys->anon_key.c_str(), keys->service_key.c_str(),
              keys->publishable_key.c_str(), keys->secret_key.c_str());
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
    command{"keys", "print the API keys", show_keys},
};

[[nodiscard]] std::string joined(const std::vector<std::string>& words) {
  auto text = std::string{};
  for (const auto& word : words)
    text += (text.empty() ? "" : " ") + word;
  return text;
}

} // namespace

std::string usage() {
  auto text = std::string{"jessica [options] command\n\nCommands\n"};
  for (const auto& known : commands) {
    constexpr auto column = std::size_t{12};
    auto words = std::string{known.words};
    words.resize(std::max(column, words.size() + 1), ' ');
    text += "  " + words + std::string{known.meaning} + '\n';
  }
  return text + "\nOptions are listed by --print-config and in docs/configuration.md;\n"
                "--check validates them, --config FILE reads another file than "
                "jessica.toml,\n--version prints the version.\n";
}

int run_command(const config::loaded& with) {
  const auto asked = joined(with.line.words);
  for (const auto& known : commands)
    if (known.words == asked)
      return known.run(with.values);
  std::fprintf(stderr, "jessica: %s\n\n%s",
               asked.empty() ? "no command" : ("unknown command: " + asked).c_str(),
               usage().c_str());
  return 2;
}

} // namespace jessica::app
