#include "bench/load/memory_world.hpp"
#include "bench/load/retrieval_set.hpp"
#include "bench/load/scenarios.hpp"
#include "domain/ids.hpp"
#include "engines/onnx_embedder.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {
namespace {

using vectors = std::vector<std::vector<float>>;

struct embedded_set {
  vectors queries;
  vectors documents;
};

[[nodiscard]] result<embedded_set> embed(const engines::embedder& by,
                                         const retrieval_set& what) {
  auto asked = std::vector<std::string>{};
  for (const auto& one : what.queries)
    asked.push_back(one.text);
  auto queries = by.embed(asked, engines::text_purpose::query);
  if (!queries)
    return std::unexpected{std::move(queries.error())};
  auto documents = by.embed(what.documents, engines::text_purpose::document);
  if (!documents)
    return std::unexpected{std::move(documents.error())};
  return embedded_set{std::move(*queries), std::move(*documents)};
}

[[nodiscard]] float cosine(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
}

/// Where each query's own document comes, by likeness.
[[nodiscard]] std::vector<std::size_t> ranks(const retrieval_set& what,
                                             const embedded_set& as, bool with_hard) {
  auto made = std::vector<std::size_t>{};
  for (auto q = std::size_t{0}; q < what.queries.size(); ++q) {
    const auto own = what.queries[q].wanted;
    const auto to_own = cosine(as.queries[q], as.documents[own]);
    auto rank = std::size_t{1};
    for (auto d = std::size_t{0}; d < as.documents.size(); ++d)
      if (d != own && (with_hard || !what.hard[d]) &&
          cosine(as.queries[q], as.documents[d]) >= to_own)
        ++rank;
    made.push_back(rank);
  }
  return made;
}

void add(round& to, const std::string& name, const retrieval_score& score) {
  to.push_back({name + " recall@1", "share", score.recall_at_1});
  to.push_back({name + " recall@5", "share", score.recall_at_5});
  to.push_back({name + " MRR", "share", score.reciprocal_rank});
}

/// The rank of what is not among those found: as good as none.
constexpr auto not_found = std::size_t{1'000'000};

/// Where a server's search has each query's own document.
[[nodiscard]] result<std::vector<std::size_t>>
ranks(memory_world& world, const retrieval_set& what,
      const std::vector<std::string>& ids, bool hybrid) {
  auto made = std::vector<std::size_t>{};
  for (const auto& one : what.queries) {
    const auto found = world.search(
        std::format(R"("query":"{}","k":100,"hybrid":{})", one.text, hybrid));
    if (!found)
      return std::unexpected{found.error()};
    const auto at = std::ranges::find(*found, ids[one.wanted]);
    made.push_back(at == found->end()
                       ? not_found
                       : static_cast<std::size_t>(at - found->begin()) + 1);
  }
  return made;
}

struct named_set {
  std::string name;
  retrieval_set what;
  std::vector<std::string> ids = {}; ///< of the messages that its documents are
};

/// All documents as messages of one user.
[[nodiscard]] result<void> store(memory_world& world, http_client& by,
                                 std::vector<named_set>& sets) {
  for (auto& set : sets)
    for (const auto& text : set.what.documents)
      if (auto stored =
              world.store(by, set.ids.emplace_back(message_id::make().str()), text);
          !stored)
        return stored;
  return world.settle();
}

/// Every query by its vector alone and hybrid. Words may help; they must not harm.
[[nodiscard]] result<void> compare(memory_world& world, const named_set& set,
                                   round& into) {
  constexpr auto bearable = 0.02;
  auto scores = std::array<retrieval_score, 2>{};
  for (const auto hybrid : {false, true}) {
    const auto found = ranks(world, set.what, set.ids, hybrid);
    if (!found)
      return std::unexpected{found.error()};
    scores[hybrid ? 1 : 0] = score_of(*found);
    add(into, set.name + (hybrid ? ", hybrid" : ", vectors alone"),
        scores[hybrid ? 1 : 0]);
  }
  const auto harmed = scores[1].recall_at_1 < scores[0].recall_at_1 - bearable ||
                      scores[1].recall_at_5 < scores[0].recall_at_5 - bearable;
  into.push_back({set.name + ", hybrid is worse", "sets", harmed ? 1.0 : 0.0, true});
  return {};
}

[[nodiscard]] result<void> ask_server(const settings& how, std::vector<named_set> sets,
                                      round& into) {
  const auto home = scratch_directory::make(how);
  if (!home)
    return std::unexpected{home.error()};
  const auto server = start_jessica(how, home->path(),
                                    {.core = {}, .flags = memory_world::options(how)});
  if (!server)
    return std::unexpected{server.error()};
  auto world = memory_world::make(*server, home->path());
  auto writer = http_client::connect(server->port);
  if (!world || !writer)
    return std::unexpected{!world ? world.error() : writer.error()};
  if (auto stored = store(*world, *writer, sets); !stored)
    return stored;
  for (const auto& set : sets)
    if (auto compared = compare(*world, set, into); !compared)
      return compared;
  return {};
}

} // namespace

result<findings> run_retrieval(const settings& how) {
  const auto what = read_retrieval_file(how.paraphrases);
  if (!what)
    return std::unexpected{what.error()};
  const auto keywords = read_retrieval_file(how.keywords);
  if (!keywords)
    return std::unexpected{keywords.error()};
  auto found = findings{
      "retrieval",
      {{"queries", std::to_string(what->queries.size())},
       {"documents", std::to_string(what->documents.size())},
       {"hard ones", std::to_string(std::ranges::count(what->hard, true))},
       {"queries for names and codes", std::to_string(keywords->queries.size())}},
      {}};
  auto measures = round{}; // one: the same each time
  for (const auto small : {false, true}) {
    const auto model = engines::open_onnx_embedder({how.model, small, 1, 0});
    if (!model)
      return std::unexpected{model.error()};
    const auto as = embed(**model, *what);
    if (!as)
      return std::unexpected{as.error()};
    const auto name = std::string{small ? "int8" : "float"};
    add(measures, name, score_of(ranks(*what, *as, true)));
    add(measures, name + " without hard", score_of(ranks(*what, *as, false)));
  }
  if (auto asked =
          ask_server(how, {{"paraphrases", *what}, {"keywords", *keywords}}, measures);
      !asked)
    return std::unexpected{std::move(asked.error())};
  found.rounds.push_back(std::move(measures));
  return found;
}

} // namespace jessica::bench
