#include "actors/indexer.hpp"

#include "actors/embedding_log.hpp"
#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <memory>
#include <span>
#include <unordered_set>
#include <utility>
#include <variant>

namespace jessica::actors {
namespace {

using self_pointer = indexer_actor::stateful_pointer<indexer_state>;

constexpr auto first_pause = std::chrono::milliseconds{100};
constexpr auto longest_pause = std::chrono::milliseconds{5000};
/// Lots of fetched rows on their way to the shards: the database is asked for the next
/// while they are taken in, and no faster.
constexpr auto most_putting = std::size_t{3};
constexpr auto owners_a_page = std::size_t{50'000};
/// More than may be committed and not yet visible at once.
constexpr auto seen_kept = std::size_t{256};

struct indexer_metrics {
  ops::counter compared{"jessica_actors_memory_comparisons_total",
                        "Times the index was compared with the table"};
  ops::counter fetched{"jessica_actors_memory_fetched_total",
                       "Embeddings fetched from the table"};
  ops::counter logged{"jessica_actors_memory_logged_total",
                      "Embeddings added or removed by the log"};
  ops::gauge missing{"jessica_actors_memory_missing",
                     "Embeddings that are still to be fetched"};
  ops::gauge complete{"jessica_actors_memory_complete",
                      "Shards that have all their embeddings"};
};

[[nodiscard]] indexer_metrics& metrics() {
  static auto known = indexer_metrics{};
  return known;
}

void look_later(self_pointer self, const error& why) {
  auto& state = self->state;
  ops::warn("memory.index_behind", {{"cause", why.what}});
  if (std::exchange(state.looks, true))
    return;
  state.pause = std::clamp(state.pause * 2, first_pause, longest_pause);
  self->delayed_send(self, state.pause, look_again{});
}

void tell_position(self_pointer self, std::size_t shard) {
  self->request(self->state.deps.shards[shard], caf::infinite,
                advance_to{self->state.position})
      .then([](done) {},
            [self](const caf::error& why) { look_later(self, from_caf(why)); });
}

[[nodiscard]] bool has_all(const indexer_state& state, std::size_t shard) {
  return state.matched[shard] && state.missing[shard].empty();
}

/// Only then a further failure is a first one.
void note_success(indexer_state& state) {
  for (auto i = std::size_t{0}; i < state.missing.size(); ++i)
    if (!has_all(state, i))
      return;
  state.pause = {};
}

void show(const indexer_state& state) {
  auto missing = std::size_t{0};
  auto complete = std::size_t{0};
  for (auto i = std::size_t{0}; i < state.missing.size(); ++i) {
    missing += state.missing[i].size();
    complete += state.following && has_all(state, i) ? 1 : 0;
  }
  metrics().missing.set(static_cast<double>(missing));
  metrics().complete.set(static_cast<double>(complete));
}

/// Those that lack nothing may answer: their mailboxes hold all that was put.
void tell_positions(self_pointer self) {
  const auto& state = self->state;
  if (!state.following || !state.model)
    return;
  for (auto i = std::size_t{0}; i < state.deps.shards.size(); ++i)
    if (has_all(state, i))
      tell_position(self, i);
}

void fetch_soon(self_pointer self) {
  if (!std::exchange(self->state.fetches, true))
    self->send(self, fetch_more{});
}

void take_missing(self_pointer self, std::size_t shard, rows_missing& msg) {
  auto& state = self->state;
  state.matched[shard] = true;
  state.missing[shard].assign(msg.ids.begin(), msg.ids.end());
  if (msg.ids.empty()) {
    if (state.following)
      tell_position(self, shard);
  } else {
    fetch_soon(self);
  }
  note_success(state);
  ops::info("memory.compared", {{"shard", shard}, {"missing", msg.ids.size()}});
  show(state);
}

[[nodiscard]] result<std::vector<std::vector<owned_embedding>>>
read_owners(storage::embedding_snapshot& from, const memory_model& model,
            std::size_t shards) {
  auto shares = std::vector<std::vector<owned_embedding>>(shards);
  for (auto after = embedding_id{};;) {
    auto page = from.owners(model, after, owners_a_page);
    if (!page)
      return std::unexpected{std::move(page.error())};
    for (const auto& row : *page)
      shares[shard_of(row.user, shares.size())].push_back(row);
    if (page->size() < owners_a_page)
      return shares;
    after = page->back().id;
  }
}

void lose_places(self_pointer self) {
  for (const auto& shard : self->state.deps.shards)
    self->send(shard, lose_place{});
}

/// What the shards have becomes what there was at the snapshot; what the log told
/// meanwhile comes behind it.
[[nodiscard]] result<void> compare(self_pointer self,
                                   storage::embedding_snapshot& with) {
  auto& state = self->state;
  ++state.comparison;
  const auto shards = state.deps.shards.size();
  state.matched.assign(shards, false);
  state.missing.assign(shards, {});
  auto model = with.model();
  if (!model)
    return std::unexpected{std::move(model.error())};
  if (!*model) {
    state.model.reset();
    lose_places(self); // there may be one later: models_changed
    return {};
  }
  auto shares = read_owners(with, **model, shards);
  if (!shares)
    return std::unexpected{std::move(shares.error())};
  // Not before: the shards are of the old model until they are asked to match.
  state.model = std::move(*model);
  metrics().compared.add();
  for (auto i = std::size_t{0}; i < shards; ++i) {
    auto there =
        std::make_shared<const std::vector<owned_embedding>>(std::move((*shares)[i]));
    self->request(state.deps.shards[i], caf::infinite,
                  match_rows{*state.model, std::move(there), indexer_actor{self}})
        .then(
            [self, i, of = state.comparison](rows_missing& msg) {
              if (of == self->state.comparison)
                take_missing(self, i, msg);
            },
            [self](const caf::error& why) { look_later(self, from_caf(why)); });
  }
  return {};
}

[[nodiscard]] std::vector<std::uint32_t> seen_lately(const indexer_state& state) {
  return {state.seen.begin(), state.seen.end()};
}

void compare_now(self_pointer self) {
  auto& state = self->state;
  auto snapshot = state.deps.source.look(seen_lately(state));
  if (!snapshot)
    return look_later(self, snapshot.error());
  if (auto compared = compare(self, **snapshot); !compared)
    return look_later(self, compared.error());
}

void begin(self_pointer self, const feed_begun& msg) {
  auto& state = self->state;
  state.following = true;
  state.feed = msg.from;
  state.position = msg.position;
  lose_places(self); // what lies between the last stream and this one is not known
  if (auto compared = compare(self, *msg.snapshot); !compared)
    look_later(self, compared.error());
}

/// One lot of rows for the first shard that lacks some.
void fetch_lot(self_pointer self) {
  auto& state = self->state;
  state.fetches = false;
  const auto lacking =
      std::ranges::find_if(state.missing, [](const auto& ids) { return !ids.empty(); });
  if (lacking == state.missing.end() || !state.model || state.putting >= most_putting)
    return;
  const auto shard = static_cast<std::size_t>(lacking - state.missing.begin());
  const auto count = std::min(lacking->size(), state.deps.fetch_rows);
  const auto end = lacking->begin() + static_cast<std::ptrdiff_t>(count);
  const auto ids = std::vector<embedding_id>(lacking->begin(), end);
  auto pieces = state.deps.source.fetch(*state.model, ids, seen_lately(state));
  if (!pieces)
    return look_later(self, pieces.error());
  lacking->erase(lacking->begin(), end);
  metrics().fetched.add(static_cast<double>(pieces->size()));
  ++state.putting;
  self->request(state.deps.shards[shard], caf::infinite, put_pieces{std::move(*pieces)})
      .then(
          [self](done) {
            --self->state.putting;
            fetch_soon(self);
          },
          [self](const caf::error& why) {
            --self->state.putting;
            look_later(self, from_caf(why));
          });
  note_success(state);
  if (lacking->empty() && state.following)
    tell_position(self, shard);
  show(state);
  fetch_soon(self);
}

/// Answers when all shards have taken their share.
struct open_shares {
  std::size_t left = 0;
  caf::typed_response_promise<done> asker;
  void one_less() {
    if (--left == 0)
      asker.deliver(done{});
  }
};

/// Told of the log without a beginning: we took the place of one that failed.
void follow(self_pointer self) {
  auto& state = self->state;
  if (std::exchange(state.following, true))
    return;
  if (!std::exchange(state.looks, true))
    self->send(self, look_again{});
}

void remember(indexer_state& state, std::uint32_t xid) {
  if (xid == 0 || (!state.seen.empty() && state.seen.back() == xid))
    return;
  state.seen.push_back(xid);
  if (state.seen.size() > seen_kept)
    state.seen.pop_front();
}

/// What the log removed is not to be fetched.
void forget_removed(std::deque<embedding_id>& missing,
                    std::span<const piece_change> changes) {
  if (missing.empty())
    return;
  auto removed = std::unordered_set<embedding_id>{};
  for (const auto& one : changes)
    if (const auto row = std::get_if<owned_embedding>(&one))
      removed.insert(row->id);
  if (!removed.empty())
    std::erase_if(missing, [&](embedding_id id) { return removed.contains(id); });
}

[[nodiscard]] caf::result<done> take_log(self_pointer self,
                                         const embeddings_logged& msg) {
  auto& state = self->state;
  remember(state, msg.what->xid);
  state.position = std::max(state.position, msg.position);
  follow(self);
  if (!state.model) // models_changed is on its way, and a comparison with it
    return done{};
  auto read = read_log(*msg.what, *state.model, state.deps.shards.size());
  metrics().logged.add(static_cast<double>(read.changes));
  if (read.emptied)
    for (auto& ids : state.missing)
      ids.clear();
  auto asker = self->make_response_promise<done>();
  auto open = std::make_shared<open_shares>(open_shares{1, asker});
  for (auto i = std::size_t{0}; i < state.deps.shards.size(); ++i) {
    if (read.shares[i].empty())
      continue;
    const auto lacked = !state.missing[i].empty();
    forget_removed(state.missing[i], read.shares[i]);
    ++open->left;
    self->request(state.deps.shards[i], caf::infinite,
                  change_pieces{std::move(read.shares[i]), state.position})
        .then([open](done) { open->one_less(); },
              [self, open](const caf::error& why) {
                open->one_less();
                look_later(self, from_caf(why));
              });
    if (lacked && has_all(state, i))
      tell_position(self, i);
  }
  open->one_less();
  note_success(state);
  return asker;
}

[[nodiscard]] caf::result<done> bring(self_pointer self, const bring_user& msg) {
  auto& state = self->state;
  if (!state.model)
    return to_caf({errc::unavailable, "no model yet", {}, nullptr});
  auto pieces =
      state.deps.source.fetch_user(*state.model, msg.user, seen_lately(state));
  if (!pieces)
    return to_caf(std::move(pieces.error()));
  self->send(state.deps.shards[shard_of(msg.user, state.deps.shards.size())],
             restore_user{msg.user, std::move(*pieces)});
  return done{};
}

} // namespace

indexer_actor::behavior_type indexer(self_pointer self, indexer_deps deps) {
  guard(self, "INDEXER");
  self->state.deps = std::move(deps);
  const auto shards = self->state.deps.shards.size();
  self->state.matched.assign(shards, false);
  self->state.missing.assign(shards, {});
  lose_places(self); // of a predecessor we know nothing
  return {
      [self](const feed_begun& msg) { begin(self, msg); },
      [self](feed_lost) {
        self->state.following = false;
        lose_places(self);
        show(self->state);
      },
      [self](const embeddings_logged& msg) { return take_log(self, msg); },
      [self](log_read msg) {
        auto& state = self->state;
        state.position = std::max(state.position, msg.position);
        follow(self);
        tell_positions(self);
      },
      [self](models_changed) {
        if (!std::exchange(self->state.looks, true))
          self->send(self, look_again{});
      },
      [self](look_again) {
        self->state.looks = false;
        compare_now(self);
      },
      [self](fetch_more) { fetch_lot(self); },
      [self](hurry_to msg) {
        if (self->state.feed)
          self->send(self->state.feed, msg);
      },
      [self](const bring_user& msg) { return bring(self, msg); },
  };
}

} // namespace jessica::actors
