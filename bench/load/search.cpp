#include "bench/load/scenarios.hpp"
#include "bench/load/search_contender.hpp"
#include "bench/load/search_corpus.hpp"
#include "bench/load/search_hnswlib.hpp"
#include "bench/load/search_index.hpp"
#include "bench/load/search_pgvector.hpp"
#include "bench/load/search_texts.hpp"
#include "bench/load/servers.hpp"

#include <algorithm>
#include <chrono>
#include <format>
#include <memory>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using questions = std::vector<search_corpus::question>;

struct rival {
  search_contender who;
  std::shared_ptr<const questions> asked; ///< of the vectors that it holds
};

/// Everybody who takes part, ours first, and what they are asked.
struct field {
  std::vector<search_index> ours;
  std::vector<rival> all;
  std::vector<std::pair<std::string, std::string>> facts;
};

bool asks_for(const settings& how, std::string_view peer) {
  return ("," + how.search_peers + ",").contains(std::format(",{},", peer));
}

result<void> check(const settings& how) {
  if (how.vectors == 0 || how.owners == 0 || how.queries == 0 ||
      how.owners > how.vectors)
    return fail(errc::invalid_input, "--vectors, --owners and --queries: not so few");
  for (const auto part : std::views::split(how.search_peers, ',')) {
    const auto name = std::string_view{part};
    if (!name.empty() && name != "pgvector" && name != "hnswlib")
      return fail(errc::invalid_input, std::format("no peer is called {}", name));
  }
  return {};
}

result<search_corpus> corpus_of(const settings& how) {
  if (how.texts.empty())
    return search_corpus{how.vectors, how.owners};
  return embedded_corpus(how.texts, how.model, how.owners);
}

void join(field& to, search_contender who, std::shared_ptr<const questions> asked) {
  if (!who.way.empty())
    to.facts.emplace_back(who.name,
                          std::format("{}, {} vectors", who.way, who.vectors));
  to.all.push_back({std::move(who), std::move(asked)});
}

result<void> join_pgvector(field& to, const settings& how, const search_corpus& corpus,
                           const questions& asked, const std::filesystem::path& home) {
  const auto limit = std::chrono::minutes{how.graph_minutes};
  return open_pgvector(corpus, asked, limit, home).transform([&](auto forms) {
    for (auto& form : forms)
      join(to, std::move(form.who),
           std::make_shared<const questions>(std::move(form.asked)));
  });
}

/// The vectors themselves are needed no longer than this.
result<field> make_field(const settings& how, const std::filesystem::path& home) {
  const auto corpus = corpus_of(how);
  if (!corpus)
    return std::unexpected{corpus.error()};
  auto made = field{};
  const auto asked = std::make_shared<const questions>(corpus->questions(how.queries));
  for (const auto form : {index::vector_form::float32, index::vector_form::int8}) {
    auto one = search_index::fill(*corpus, form);
    if (!one)
      return std::unexpected{std::move(one.error())};
    join(made, one->contender(), asked);
    made.ours.push_back(std::move(*one));
  }
  auto joined = result<void>{};
  if (asks_for(how, "pgvector"))
    joined = join_pgvector(made, how, *corpus, *asked, home);
  if (joined && asks_for(how, "hnswlib"))
    joined = open_hnswlib(*corpus, *asked).transform([&](search_contender who) {
      join(made, std::move(who), asked);
    });
  if (!joined)
    return std::unexpected{std::move(joined.error())};
  return made;
}

/// All are asked in turn; who begins changes with the round.
result<round> hold_round(const field& with, std::size_t number,
                         const std::filesystem::path& home) {
  auto scores = std::vector<search_score>(with.all.size());
  for (auto i = std::size_t{0}; i < with.all.size(); ++i) {
    const auto which = (i + number) % with.all.size();
    auto score = ask_all(with.all[which].who.answer, *with.all[which].asked);
    if (!score)
      return std::unexpected{std::move(score.error())};
    scores[which] = std::move(*score);
  }
  auto measures = round{};
  const auto rate = [&](std::size_t i) {
    return static_cast<double>(with.all[i].asked->size()) /
           std::chrono::duration<double>(scores[i].took).count();
  };
  for (auto i = std::size_t{0}; i < scores.size(); ++i) {
    const auto& name = with.all[i].who.name;
    measures.push_back({name + " searches", "1/s", rate(i)});
    add_percentiles(measures, name, scores[i].waited, {50, 99});
    measures.push_back({name + " recall@10", "%", scores[i].recall * 100});
    for (auto own = std::size_t{0}; i >= with.ours.size() && own < with.ours.size();
         ++own)
      measures.push_back({std::format("{} / {}", with.all[own].who.name, name), "x",
                          rate(own) / rate(i)});
  }
  for (const auto& one : with.ours) {
    one.report(measures);
    if (auto done = one.report_file(home / "index", *with.all.front().asked, measures);
        !done)
      return std::unexpected{std::move(done.error())};
  }
  const auto missed = std::ranges::count_if(
      std::span{scores}.first(with.ours.size()),
      [](const search_score& score) { return score.recall < wanted_recall; });
  measures.push_back(
      {"below the recall of 99 %", "indexes", static_cast<double>(missed), true});
  return measures;
}

} // namespace

result<findings> run_search(const settings& how) {
  if (auto good = check(how); !good)
    return std::unexpected{std::move(good.error())};
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  const auto all = make_field(how, home->path());
  if (!all)
    return std::unexpected{all.error()};
  auto found = findings{
      "search",
      {{"vectors", std::to_string(all->ours.front().vectors())},
       {"they are",
        how.texts.empty() ? "drawn around topics" : "of " + how.texts.string()},
       {"dimensions", std::to_string(search_corpus::dimensions)},
       {"users", std::to_string(how.owners)},
       {"searches of a round", std::to_string(all->all.front().asked->size())}},
      {}};
  found.settings.insert(found.settings.end(), all->facts.begin(), all->facts.end());
  for (auto n = std::size_t{0}; n < how.rounds; ++n) {
    auto measures = hold_round(*all, n, home->path());
    if (!measures)
      return std::unexpected{std::move(measures.error())};
    found.rounds.push_back(std::move(*measures));
  }
  return found;
}

} // namespace jessica::bench
