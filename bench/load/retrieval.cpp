#include "bench/load/memory_world.hpp"
#include "bench/load/retrieval_set.hpp"
#include "bench/load/scenarios.hpp"
#include "domain/ids.hpp"
#include "engines/onnx_embedder.hpp"

#include <algorithm>
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

/// All documents as messages of one user, then every query by search-memory.
[[nodiscard]] result<void> ask_server(const settings& how, const retrieval_set& what,
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
  auto ids = std::vector<std::string>{};
  for (const auto& text : what.documents)
    if (auto stored =
            world->store(*writer, ids.emplace_back(message_id::make().str()), text);
        !stored)
      return stored;
  if (auto settled = world->settle(); !settled)
    return settled;
  for (const auto hybrid : {false, true}) {
    const auto found = ranks(*world, what, ids, hybrid);
    if (!found)
      return std::unexpected{found.error()};
    add(into, hybrid ? "server, hybrid" : "server, vectors alone", score_of(*found));
  }
  return {};
}

} // namespace

result<findings> run_retrieval(const settings& how) {
  const auto what = read_retrieval_file(how.paraphrases);
  if (!what)
    return std::unexpected{what.error()};
  auto found =
      findings{"retrieval",
               {{"queries", std::to_string(what->queries.size())},
                {"documents", std::to_string(what->documents.size())},
                {"hard ones", std::to_string(std::ranges::count(what->hard, true))}},
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
  if (auto asked = ask_server(how, *what, measures); !asked)
    return std::unexpected{std::move(asked.error())};
  found.rounds.push_back(std::move(measures));
  return found;
}

} // namespace jessica::bench
