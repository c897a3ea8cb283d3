#include "bench/load/scenarios.hpp"
#include "engines/onnx_embedder.hpp"

#include <array>
#include <chrono>
#include <format>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;
using texts = std::vector<std::string>;

/// One token each.
constexpr auto words =
    std::array{"water",  "house", "time",  "year",  "people", "world", "music",
               "city",   "food",  "night", "work",  "game",   "team",  "money",
               "school", "story", "place", "group", "state",  "power"};

struct weights {
  std::string name;
  std::shared_ptr<engines::embedder> model;
};

[[nodiscard]] result<std::vector<weights>> open_both(const settings& how) {
  auto made = std::vector<weights>{};
  for (const auto small : {false, true}) {
    auto one = engines::open_onnx_embedder({how.model, small, 1, 0});
    if (!one)
      return std::unexpected{std::move(one.error())};
    made.push_back({small ? "int8" : "float", std::move(*one)});
  }
  return made;
}

/// Different texts of `tokens` tokens each.
[[nodiscard]] result<texts> texts_of(const engines::embedder& model, std::size_t tokens,
                                     std::size_t count) {
  auto made = texts{};
  for (auto n = std::size_t{0}; n < count; ++n) {
    auto text = std::string{};
    for (auto i = std::size_t{0}; i < tokens; ++i)
      text.append(i == 0 ? "" : " ").append(words[(n + i * (n + 1)) % words.size()]);
    if (model.count_tokens(text) != tokens)
      return fail(
          errc::invalid_input,
          std::format("the model does not take {} words for as many tokens", tokens));
    made.push_back(std::move(text));
  }
  return made;
}

[[nodiscard]] result<void> measure_one(const weights& of, std::size_t tokens,
                                       std::size_t count, round& into) {
  constexpr auto least_calls = 5;
  constexpr auto length = std::chrono::milliseconds{400};
  const auto asked = texts_of(*of.model, tokens, count);
  if (!asked)
    return std::unexpected{asked.error()};
  const auto call = [&] {
    return of.model->embed(*asked, engines::text_purpose::document);
  };
  if (const auto warm = call(); !warm)
    return std::unexpected{warm.error()};
  auto waited = histogram{};
  const auto begun = clock::now();
  auto now = begun;
  for (auto calls = 0; calls < least_calls || now - begun < length; ++calls) {
    if (const auto done = call(); !done)
      return std::unexpected{done.error()};
    waited.record(clock::now() - now);
    now = clock::now();
  }
  const auto name = std::format("{} {} x {}", of.name, tokens, count);
  add_percentiles(into, name, waited, {50, 99});
  const auto seconds = std::chrono::duration<double>(now - begun).count();
  into.push_back(
      {name, "texts/s", static_cast<double>(waited.count() * count) / seconds});
  return {};
}

} // namespace

result<findings> run_embedding(const settings& how) {
  const auto both = open_both(how);
  if (!both)
    return std::unexpected{both.error()};
  auto found = findings{"embedding",
                        {{"model", both->front().model->traits().id},
                         {"threads", "1"},
                         {"shape", "tokens x texts of a call"}},
                        {}};
  for (auto n = std::size_t{0}; n < how.rounds; ++n) {
    auto measures = round{};
    for (const auto& one : *both)
      for (const auto tokens : {8U, 32U, 128U})
        for (const auto count : {1U, 32U})
          if (auto done = measure_one(one, tokens, count, measures); !done)
            return std::unexpected{std::move(done.error())};
    found.rounds.push_back(std::move(measures));
  }
  return found;
}

} // namespace jessica::bench
