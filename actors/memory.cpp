#include "actors/memory.hpp"

#include "actors/errors.hpp"
#include "actors/hybrid_ranking.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = memory_actor::stateful_pointer<memory_state>;

/// Rows that the user may not see make room for others: asked for anew with more, up to
/// here.
constexpr auto most_asked = std::size_t{2000};
constexpr auto growth = std::size_t{4};
/// Of a hybrid search: so many of each kind are ranked together.
constexpr auto least_ranked = std::size_t{50};
constexpr auto no_threshold = -1.0F;

struct memory_metrics {
  ops::counter searches{"jessica_actors_memory_searches_total", "Searches of memories"};
  ops::counter failed{"jessica_actors_memory_searches_failed_total",
                      "Searches of memories that were answered with an error"};
  ops::counter fallbacks{"jessica_actors_memory_fallbacks_total",
                         "Searches that the database answered, as the index could not"};
  ops::counter refetched{"jessica_actors_memory_refetched_total",
                         "Searches that asked again, as rows were not visible"};
  ops::histogram seconds{
      "jessica_actors_memory_search_seconds",
      "From a question to its answer, embedding included",
      {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5}};
};

[[nodiscard]] memory_metrics& metrics() {
  static auto known = memory_metrics{};
  return known;
}

/// One question under way.
struct search_run {
  search_memory asked;
  caf::typed_response_promise<memories_found> asker;
  std::chrono::steady_clock::time_point began;
  std::shared_ptr<const std::vector<float>> query;
  std::string model; ///< of the query; empty: as the index
  std::vector<storage::worded_memory> by_words;
  std::size_t asking = 0; ///< so many messages were asked for
  bool by_table = false;  ///< the index cannot answer this one
};
using run_ptr = std::shared_ptr<search_run>;

void finish(self_pointer self, const run_ptr& run, result<memories_found> what) {
  --self->state.running;
  metrics().seconds.observe(
      std::chrono::duration<double>(self->clock().now() - run->began).count());
  if (what) {
    run->asker.deliver(std::move(*what));
    return;
  }
  metrics().failed.add();
  run->asker.deliver(to_caf(std::move(what.error())));
}

/// Ends the question with an error.
[[nodiscard]] auto failing(self_pointer self, const run_ptr& run) {
  return [self, run](const caf::error& why) {
    finish(self, run, std::unexpected{from_caf(why)});
  };
}

void find_nearest(self_pointer self, const run_ptr& run);

[[nodiscard]] bool wants_more(const search_run& run, std::size_t hits,
                              std::size_t seen) {
  return seen < run.asked.what.k && hits >= run.asking && run.asking < most_asked;
}

/// The messages that the owner sees, in the order of the hits.
void answer_with(self_pointer self, const run_ptr& run,
                 const std::vector<memory_hit>& hits, std::size_t nearest,
                 std::vector<storage::memory_text>& texts) {
  if (wants_more(*run, nearest, texts.size())) {
    metrics().refetched.add();
    run->asking = std::min(run->asking * growth, most_asked);
    return find_nearest(self, run);
  }
  auto found = memories_found{};
  for (auto& one : texts) {
    if (found.found.size() == run->asked.what.k)
      break;
    one.what.score = hits[one.place].score;
    found.found.push_back(std::move(one.what));
  }
  finish(self, run, std::move(found));
}

/// The best cosine that a message may have which is not among the nearest.
[[nodiscard]] float unseen(const search_run& run,
                           const std::vector<memory_hit>& nearest) {
  if (!nearest.empty() && nearest.size() >= run.asking)
    return nearest.back().score;
  return run.asked.what.min_score.value_or(0);
}

void read_texts(self_pointer self, const run_ptr& run,
                const std::vector<memory_hit>& nearest) {
  auto hits = run->asked.what.hybrid
                  ? rank_hybrid(nearest, run->by_words, unseen(*run, nearest))
                  : nearest;
  auto places = std::vector<storage::memory_place>{};
  for (const auto& one : hits)
    places.push_back({one.message, one.id});
  if (places.empty())
    return finish(self, run, memories_found{});
  self->request(self->state.deps.readers, self->state.deps.limits.patience,
                read_memories{run->asked.whose, std::move(places)})
      .then(
          [self, run, hits = std::move(hits), count = nearest.size()](
              memories_read& read) { answer_with(self, run, hits, count, read.texts); },
          failing(self, run));
}

void ask_table(self_pointer self, const run_ptr& run) {
  const auto& what = run->asked.what;
  if (!std::exchange(run->by_table, true)) {
    metrics().fallbacks.add();
    ops::info("memory.by_table", {{"user", run->asked.whose.user.str()}});
  }
  self->request(self->state.deps.readers, self->state.deps.limits.patience,
                nearest_in_table{run->asked.whose, run->model, run->query, what.filter,
                                 run->asking, what.min_score.value_or(no_threshold)})
      .then(
          [self, run](const pieces_found& found) { read_texts(self, run, found.hits); },
          failing(self, run));
}

void ask_index(self_pointer self, const run_ptr& run) {
  const auto& deps = self->state.deps;
  const auto& what = run->asked.what;
  const auto& shard = deps.shards[shard_of(run->asked.whose.user, deps.shards.size())];
  self->request(shard, deps.limits.wait + deps.limits.patience,
                find_pieces{run->asked.whose.user, run->model, run->query, what.filter,
                            run->asking, what.min_score.value_or(no_threshold),
                            what.after, deps.limits.wait})
      .then(
          [self, run](const pieces_found& found) { read_texts(self, run, found.hits); },
          [self, run](const caf::error& why) {
            auto cause = from_caf(why);
            if (cause.code == errc::unavailable)
              return ask_table(self, run);
            finish(self, run, std::unexpected{std::move(cause)});
          });
}

void find_nearest(self_pointer self, const run_ptr& run) {
  if (run->by_table)
    ask_table(self, run);
  else
    ask_index(self, run);
}

void find_words(self_pointer self, const run_ptr& run) {
  const auto& what = run->asked.what;
  self->request(self->state.deps.readers, self->state.deps.limits.patience,
                match_words{run->asked.whose, what.text, what.filter, run->asking})
      .then(
          [self, run](words_matched& found) {
            run->by_words = std::move(found.found);
            find_nearest(self, run);
          },
          failing(self, run));
}

void search_with(self_pointer self, const run_ptr& run, std::vector<float> query) {
  run->query = std::make_shared<const std::vector<float>>(std::move(query));
  run->asking = run->asked.what.k;
  if (!run->asked.what.hybrid)
    return find_nearest(self, run);
  run->asking = std::max(run->asking, least_ranked);
  find_words(self, run);
}

void embed(self_pointer self, const run_ptr& run) {
  const auto& deps = self->state.deps;
  if (!deps.embedder)
    return finish(self, run,
                  fail(errc::unavailable, "no embedding model: search with a vector",
                       "no_embedder"));
  self->request(deps.embedder, deps.limits.patience,
                embed_texts{{run->asked.what.text}, engines::text_purpose::query})
      .then(
          [self, run](texts_embedded& made) {
            if (made.vectors.empty())
              return finish(self, run, fail(errc::internal, "no vector for a text"));
            run->model = self->state.deps.model;
            search_with(self, run, std::move(made.vectors.front()));
          },
          failing(self, run));
}

[[nodiscard]] caf::result<memories_found> begin(self_pointer self,
                                                search_memory asked) {
  auto& state = self->state;
  if (state.running >= state.deps.limits.queue)
    return to_caf({errc::overloaded, "too many searches at once", {}, nullptr});
  ++state.running;
  metrics().searches.add();
  auto run = std::make_shared<search_run>();
  run->asked = std::move(asked);
  run->asker = self->make_response_promise<memories_found>();
  run->began = self->clock().now();
  auto asker = run->asker;
  if (!run->asked.what.after.none() && state.deps.indexer)
    self->send(state.deps.indexer, hurry_to{run->asked.what.after});
  if (run->asked.what.vector.empty())
    embed(self, run);
  else
    search_with(self, run, std::move(run->asked.what.vector));
  return asker;
}

/// What a prompt may need is a little more than it has room for: what is shown anyway,
/// and what says the same, is left out.
[[nodiscard]] search_memory question_of(const recall_memories& msg,
                                        const memory_deps& deps) {
  auto question = memory_question{};
  question.text = msg.text;
  question.k = msg.shown.size() + 2 * deps.limits.prompt_memories;
  question.min_score = deps.match_threshold;
  return {{msg.user, nullptr}, std::move(question)};
}

[[nodiscard]] caf::result<memories_found> recall(self_pointer self,
                                                 const recall_memories& msg) {
  auto& deps = self->state.deps;
  if (deps.limits.prompt_memories == 0 || !deps.embedder)
    return memories_found{};
  auto asker = self->make_response_promise<memories_found>();
  // A step of our own behind the search: through our mailbox, as anybody's question.
  self->request(memory_actor{self}, caf::infinite, question_of(msg, deps))
      .then(
          [self, asker, shown = msg.shown](memories_found& found) mutable {
            asker.deliver(memories_found{choose_for_prompt(
                std::move(found.found), shown, self->state.deps.limits)});
          },
          [asker](const caf::error& why) mutable { asker.deliver(why); });
  return asker;
}

} // namespace

std::vector<found_memory> choose_for_prompt(std::vector<found_memory> found,
                                            const std::vector<message_id>& shown,
                                            const memory_limits& limits) {
  constexpr auto bytes_a_token = std::size_t{4};
  auto chosen = std::vector<found_memory>{};
  auto said = std::unordered_set<std::string>{};
  auto room = limits.prompt_tokens * bytes_a_token;
  for (auto& one : found) {
    if (chosen.size() == limits.prompt_memories)
      break;
    if (std::ranges::contains(shown, one.message) || one.excerpt.size() > room ||
        !said.insert(one.excerpt).second)
      continue;
    room -= one.excerpt.size();
    chosen.push_back(std::move(one));
  }
  return chosen;
}

memory_actor::behavior_type memory(self_pointer self, memory_deps deps) {
  guard(self, "MEMORY");
  self->state.deps = std::move(deps);
  return {
      [self](search_memory& msg) { return begin(self, std::move(msg)); },
      [self](const recall_memories& msg) { return recall(self, msg); },
  };
}

} // namespace jessica::actors
