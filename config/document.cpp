#include "config/load.hpp"
#include "config/option_text.hpp"

#include <format>
#include <string_view>

namespace jessica::config {
namespace {

constexpr auto opening = R"(# Configuration

Everything below can be given in three ways; the first that speaks wins:

1. a flag: `--net-port 8080` or `--net-port=8080` (`--net.port` is the same),
2. a variable: `JESSICA_NET_PORT=8080` (set to nothing: not set),
3. `jessica.toml` in the working directory, or the file named by `--config FILE`:

   ```toml
   [net]
   port = 8080
   ```

Durations are seconds (`10`) or carry a unit (`500ms`, `10s`, `2m`, `1h`); sizes are
bytes (`65536`) or carry one (`64KiB`, `1MiB`). In the file, values with a unit and all
texts stand in quotes.

| Flag | Effect |
|---|---|
| `--print-config` | show every option with its value and where it came from, passwords masked |
| `--check` | validate and exit |
| `--help`, `--version` | what they say |

Unknown names and values out of bounds are refused at start, all of them at once.

Several providers of language models are a list, `[[providers]]`, in the file:
[engines.md](engines.md). So are tools, `[[tools]]`: [tools.md](tools.md), and the prices of
tokens, `[[prices]]`: [usage.md](usage.md).
)";

constexpr auto heads = "| Option | Variable | Default | Accepts | Meaning |\n"
                       "|---|---|---|---|---|\n";

std::string row(const option& of, const settings& defaults) {
  const auto value = value_text(of, defaults);
  auto text = std::format(
      "| `{}` | `{}` | {} | {} | {}", of.name, variable_name(of.name),
      value.empty() ? "(empty)" : "`" + value + "`", accepts_text(of), of.meaning);
  if (!of.alias.empty())
    text += std::format(" Also `{}`, `{}`.", of.alias, variable_name(of.alias));
  return text + " |\n";
}

} // namespace

std::string configuration_markdown() {
  auto text = std::string{opening};
  const auto defaults = settings{};
  auto section = std::string_view{};
  for (const auto& one : options()) {
    const auto here = one.name.substr(0, one.name.find('.'));
    if (here != section)
      text += std::format("\n## {}\n\n{}", here, heads);
    section = here;
    text += row(one, defaults);
  }
  return text;
}

} // namespace jessica::config
