#include "app/model_commands.hpp"

#include "app/complaint.hpp"
#include "engines/onnx_embedder.hpp"
#include "engines/open_embedder.hpp"
#include "engines/use_lite_import.hpp"

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string_view>

namespace jessica::app {
namespace {

struct import_wish {
  std::filesystem::path source;
  std::filesystem::path target;
  bool int8 = false;
};

/// nullopt: not what the command takes.
[[nodiscard]] std::optional<import_wish>
read_wish(const std::vector<std::string>& words, std::filesystem::path target) {
  constexpr auto to = std::string_view{"--to="};
  auto wish = import_wish{{}, std::move(target), false};
  for (auto i = std::size_t{0}; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--int8")
      wish.int8 = true;
    else if (word == "--to" && i + 1 < words.size())
      wish.target = words[++i];
    else if (word.starts_with(to))
      wish.target = word.substr(to.size());
    else if (wish.source.empty() && !word.starts_with("--"))
      wish.source = word;
    else
      return std::nullopt;
  }
  if (wish.source.empty() || wish.target.empty())
    return std::nullopt;
  return wish;
}

} // namespace

int import_model(const config::settings& settings,
                 const std::vector<std::string>& rest) {
  const auto wish =
      read_wish(rest, engines::model_directory_of(settings.embedding,
                                                  settings.storage.directory));
  if (!wish)
    return misused("models import takes SOURCE [--to DIR] [--int8]");
  const auto done = engines::import_use_lite(wish->source, wish->target, wish->int8);
  if (!done)
    return failed(done.error().what);
  std::printf("The model is in %s\n", wish->target.c_str());
  return 0;
}

int show_model(const config::settings& settings, const std::vector<std::string>& rest) {
  if (rest.size() > 1)
    return misused("models show takes one DIR or nothing");
  const auto directory =
      rest.empty()
          ? engines::model_directory_of(settings.embedding, settings.storage.directory)
          : std::filesystem::path{rest.front()};
  const auto& how = settings.embedding;
  const auto facts =
      engines::describe_model({directory, how.quantized, how.threads, 0});
  if (!facts)
    return failed(facts.error().what);
  for (const auto& [name, value] : *facts)
    std::printf("%-16s  %s\n", name.c_str(), value.c_str());
  return 0;
}

} // namespace jessica::app
