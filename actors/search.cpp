#include "actors/search.hpp"

#include "actors/errors.hpp"
#include "actors/memory_files.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = search_actor::stateful_pointer<search_state>;

/// How often those that wait are looked at: their limits are no exact times.
constexpr auto look_every = std::chrono::milliseconds{50};

struct search_metrics {
  ops::gauge pieces{"jessica_actors_memory_pieces", "Embeddings in the index"};
  ops::gauge bytes{"jessica_actors_memory_bytes", "Memory of the index, about"};
  ops::gauge users{"jessica_actors_memory_users", "Users with embeddings"};
  ops::counter restored{"jessica_actors_memory_users_restored_total",
                        "Users whose pieces were brought back into memory"};
  ops::counter saved{"jessica_actors_memory_saves_total", "Index files written"};
};

[[nodiscard]] search_metrics& metrics() {
  static auto known = search_metrics{};
  return known;
}

/// The gauges are sums over the shards: each adds what became of its own.
void show(search_state& state, const index::index_size& now) {
  const auto add = [](ops::gauge& to, std::size_t is, std::size_t was) {
    to.add(static_cast<double>(is) - static_cast<double>(was));
  };
  add(metrics().pieces, now.pieces, state.shown.pieces);
  add(metrics().bytes, now.bytes, state.shown.bytes);
  add(metrics().users, now.users, state.shown.users);
  state.shown = now;
}

[[nodiscard]] caf::error not_matched() {
  return to_caf({errc::unavailable, "the index was started anew", "not_matched", {}});
}

[[nodiscard]] error incomplete() {
  return {errc::unavailable, "the index is being built", "index_incomplete", {}};
}

[[nodiscard]] error too_early() {
  return {errc::timeout, "the index has not come that far", "position_not_reached", {}};
}

void save(self_pointer self) {
  auto& state = self->state;
  if (state.saving || !state.deps.filer)
    return;
  auto taken = state.shard->take_state();
  if (!taken)
    return;
  state.saving = true;
  self->request(state.deps.filer, caf::infinite,
                write_index{std::move(taken), state.shard->file()})
      .then(
          [self](done) {
            self->state.saving = false;
            metrics().saved.add();
          },
          [self](const caf::error& why) {
            self->state.saving = false;
            self->state.shard->not_saved();
            ops::warn("memory.file_not_written", {{"cause", from_caf(why).what}});
          });
}

/// Notes when a change does not come to its end. Where it stands the shard is changed.
class change_of {
public:
  explicit change_of(search_state& of) : of_{of} {}
  ~change_of() { of_.damaged = of_.damaged || std::uncaught_exceptions() > before_; }
  change_of(const change_of&) = delete;
  change_of& operator=(const change_of&) = delete;

private:
  search_state& of_;
  int before_ = std::uncaught_exceptions();
};

/// Behind what waits in the mailbox.
void work_soon(self_pointer self) {
  if (!std::exchange(self->state.works, true))
    self->send(self, work_on{});
}

void work(self_pointer self) {
  self->state.works = false;
  const auto changing = change_of{self->state};
  if (self->state.shard->work())
    work_soon(self);
}

void save_if_much_changed(self_pointer self) {
  if (self->state.shard->unsaved() >= self->state.deps.save_after)
    save(self);
}

/// The answer, when there is one now; nullopt: it waits for a place or a user.
[[nodiscard]] std::optional<result<pieces_found>> try_find(search_state& state,
                                                           const find_pieces& what) {
  auto& shard = *state.shard;
  const auto other = !what.model.empty() && what.model != shard.model().name;
  if (!shard.matched() || !shard.complete() || other)
    return std::unexpected{incomplete()};
  if (what.after > shard.position())
    return std::nullopt;
  auto found = shard.find(what.user, *what.query, what.filter, what.k, what.min_score);
  if (!found)
    return std::unexpected{std::move(found.error())};
  if (!*found)
    return std::nullopt;
  return pieces_found{std::move(**found)};
}

void deliver(caf::typed_response_promise<pieces_found>& to, result<pieces_found> what) {
  if (what)
    to.deliver(std::move(*what));
  else
    to.deliver(to_caf(std::move(what.error())));
}

void look_soon(self_pointer self) {
  if (!std::exchange(self->state.looks, true))
    self->delayed_send(self, look_every, look_at_waiting{});
}

void answer_waiting(self_pointer self);

/// A search that passed its place waits for its user: INDEXER is asked once.
void bring_back(self_pointer self, const find_pieces& what) {
  auto& state = self->state;
  if (what.after > state.shard->position() || !state.shard->complete() ||
      !state.indexer || !state.asked_for.insert(what.user).second)
    return;
  metrics().restored.add();
  self->request(state.indexer, caf::infinite, bring_user{what.user})
      .then([](done) {}, // restore_user comes on another way, and later
            [self, user = what.user](const caf::error& why) {
              self->state.asked_for.erase(user);
              self->state.shard->give_up(user);
              ops::warn("memory.user_not_brought", {{"cause", from_caf(why).what}});
            });
}

/// Those that can be answered now, and those whose time is over.
void answer_waiting(self_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  auto still = std::deque<search_state::waiting>{};
  for (auto& one : std::exchange(state.parked, {})) {
    if (auto found = try_find(state, one.what))
      deliver(one.asker, std::move(*found));
    else if (now >= one.until)
      one.asker.deliver(to_caf(
          one.what.after > state.shard->position() ? too_early() : incomplete()));
    else
      still.push_back(std::move(one));
  }
  state.parked = std::move(still);
  for (const auto& one : state.parked)
    bring_back(self, one.what);
  if (!state.parked.empty())
    look_soon(self);
}

[[nodiscard]] caf::result<pieces_found> find(self_pointer self, find_pieces& what) {
  auto& state = self->state;
  const auto changing = change_of{state};
  work_soon(self); // the first search of a user may find links to make
  if (auto found = try_find(state, what))
    return answer(std::move(*found));
  if (state.parked.size() >= state.deps.most_waiting)
    return to_caf({errc::overloaded, "too many searches wait for the index", {}, {}});
  bring_back(self, what);
  auto asker = self->make_response_promise<pieces_found>();
  state.parked.push_back({std::move(what), self->clock().now() + what.limit, asker});
  look_soon(self);
  return asker;
}

struct apply_change {
  memory_shard& to;
  void operator()(const embedded_piece& added) const { to.add(added); }
  void operator()(const owned_embedding& removed) const { to.remove(removed); }
  void operator()(table_emptied) const { to.clear(); }
};

[[nodiscard]] caf::result<rows_missing> match(self_pointer self, match_rows& msg) {
  auto& state = self->state;
  const auto changing = change_of{state};
  state.indexer = std::move(msg.from);
  auto missing = state.shard->match(msg.model, *msg.there);
  if (!missing)
    return to_caf(std::move(missing.error()));
  work_soon(self);
  return rows_missing{std::move(*missing)};
}

[[nodiscard]] caf::result<done> put(self_pointer self, const put_pieces& msg) {
  auto& state = self->state;
  if (!state.shard->matched())
    return not_matched();
  const auto changing = change_of{state};
  for (const auto& piece : msg.pieces)
    state.shard->add(piece);
  save_if_much_changed(self);
  work_soon(self);
  return done{};
}

[[nodiscard]] caf::result<done> change(self_pointer self, const change_pieces& msg) {
  auto& state = self->state;
  if (!state.shard->matched())
    return not_matched();
  const auto changing = change_of{state};
  for (const auto& one : msg.changes)
    std::visit(apply_change{*state.shard}, one);
  if (state.shard->complete())
    state.shard->advance(msg.position);
  answer_waiting(self);
  save_if_much_changed(self);
  work_soon(self);
  return done{};
}

[[nodiscard]] caf::result<done> advance(self_pointer self, const advance_to& msg) {
  auto& state = self->state;
  if (!state.shard->matched())
    return not_matched();
  state.shard->advance(msg.position);
  show(state, state.shard->size());
  answer_waiting(self);
  return done{};
}

/// What came for a user who was dropped; those who waited for it are answered.
void restore(self_pointer self, const restore_user& msg) {
  auto& state = self->state;
  state.asked_for.erase(msg.user);
  const auto changing = change_of{state};
  if (!state.shard->restore(msg.user, msg.pieces))
    return; // asked for again at the next look, not at once
  answer_waiting(self);
  work_soon(self);
}

void save_last(memory_shard& shard) {
  if (const auto taken = shard.take_state())
    if (auto written = write_shard(*taken, shard.file()); !written)
      ops::warn("memory.file_not_written", {{"cause", written.error().what}});
}

} // namespace

search_state::~search_state() {
  if (!shard)
    return;
  try {
    show(*this, {});
    if (!damaged)
      save_last(*shard);
  } catch (const std::exception& thrown) {
    ops::warn("memory.file_not_written", {{"cause", thrown.what()}});
  }
}

search_actor::behavior_type search(self_pointer self, search_deps deps) {
  guard(self, "SEARCH");
  self->state.shard = std::make_unique<memory_shard>(deps.shard);
  self->state.deps = std::move(deps);
  self->delayed_send(self, self->state.deps.save_every, save_index{});
  return {
      [self](match_rows& msg) { return match(self, msg); },
      [self](const put_pieces& msg) { return put(self, msg); },
      [self](const change_pieces& msg) { return change(self, msg); },
      [self](const advance_to& msg) { return advance(self, msg); },
      [self](lose_place) {
        self->state.shard->lose_place();
        answer_waiting(self);
      },
      [self](const restore_user& msg) { restore(self, msg); },
      [self](find_pieces& msg) { return find(self, msg); },
      [self](describe_shard) {
        const auto& shard = *self->state.shard;
        return shard_state{shard.model(), shard.complete(), shard.position(),
                           shard.size()};
      },
      [self](list_rows) { return rows_listed{self->state.shard->rows()}; },
      [self](save_index) {
        save(self);
        self->delayed_send(self, self->state.deps.save_every, save_index{});
      },
      [self](look_at_waiting) {
        self->state.looks = false;
        answer_waiting(self);
      },
      [self](work_on) { work(self); },
  };
}

filer_actor::behavior_type filer(filer_actor::pointer self) {
  guard(self, "FILER");
  return {[](const write_index& msg) -> caf::result<done> {
    if (auto written = write_shard(*msg.what, msg.file); !written)
      return to_caf(std::move(written.error()));
    return done{};
  }};
}

} // namespace jessica::actors
