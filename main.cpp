// jessica: reads its configuration, then runs one command.
#include "app/commands.hpp"
#include "config/load.hpp"
#include "ops/log.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr auto prefix = std::string_view{"JESSICA_"};

[[nodiscard]] std::vector<std::string> known_environment() {
  auto names = std::vector<std::string>{};
  for (auto** at = environ; *at != nullptr; ++at) {
    const auto entry = std::string_view{*at};
    if (entry.starts_with(prefix))
      names.emplace_back(entry.substr(0, entry.find('=')));
  }
  return names;
}

[[nodiscard]] std::optional<std::string> variable(const std::string& name) {
  const auto* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

void print_config(const jessica::config::loaded& with) {
  for (const auto& option : with.report)
    std::printf("%-36s %-24s %s\n", option.name.c_str(), option.value.c_str(),
                option.origin.c_str());
}

} // namespace

int main(int argc, char** argv) {
  const auto arguments = std::vector<std::string>(argv + 1, argv + argc);
  const auto names = known_environment();
  const auto loaded = jessica::config::load(arguments, variable, names);
  if (!loaded) {
    std::fprintf(stderr, "jessica: %s\n", loaded.error().what.c_str());
    return 2;
  }
  const auto& line = loaded->line;
  if (line.version)
    return std::puts("jessica " JESSICA_VERSION) < 0 ? 1 : 0;
  if (line.help)
    return std::fputs(jessica::app::usage(line.words).c_str(), stdout) < 0 ? 1 : 0;
  if (line.print_config)
    print_config(*loaded);
  if (line.check)
    std::puts("The configuration is good.");
  if (line.print_config || line.check)
    return 0;
  jessica::ops::open_log(loaded->values.log.level);
  return jessica::app::run_command(*loaded);
}
