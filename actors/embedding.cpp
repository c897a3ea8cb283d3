#include "actors/embedding.hpp"

#include "actors/supervision.hpp"
#include "actors/text_batch.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "ops/thread_priority.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace jessica::actors {
namespace {

using self_pointer = embedding_actor::stateful_pointer<embedding_state>;
using std::chrono::milliseconds;

/// Wakes come when texts begin to wait: this is for retries, and for texts whose
/// transactions took long.
constexpr auto look_every = milliseconds{1000};
/// A text that was being written while others waited wakes nobody: looked for once more
/// when the others are done.
constexpr auto last_look = milliseconds{25};
constexpr auto count_every = std::chrono::seconds{5};
constexpr auto first_pause = milliseconds{500};
constexpr auto longest_pause = milliseconds{30'000};
/// Somebody is writing the row at the moment; who goes on doing so is asked ever later.
constexpr auto first_busy_pause = milliseconds{100};
constexpr auto longest_busy_pause = milliseconds{10'000};
/// Most of them were changed or deleted and never come back.
constexpr auto most_busy = std::size_t{1000};

struct embedding_metrics {
  ops::gauge lag{"jessica_embedding_lag_seconds",
                 "How long the oldest new text has been waiting for its vectors"};
  ops::gauge waiting{"jessica_embedding_waiting",
                     "Texts that wait for vectors, counted up to 10000"};
  ops::counter texts{"jessica_embedding_texts_total",
                     "Texts whose vectors were stored"};
  ops::counter pieces{"jessica_embedding_pieces_total", "Vectors stored"};
  ops::counter stale{"jessica_embedding_stale_total",
                     "Answers dropped: the text was changed or deleted meanwhile"};
  ops::counter failures{"jessica_embedding_failures_total",
                        "Attempts at a text that failed"};
  ops::counter dead{"jessica_embedding_dead_total", "Texts given up"};
  ops::gauge paused{"jessica_embedding_paused",
                    "1 while the embedder or the database does not work"};
};

[[nodiscard]] embedding_metrics& metrics() {
  static auto known = embedding_metrics{};
  return known;
}

/// Nothing is begun for a while; longer each time.
void pause(self_pointer self, const char* event, const error& why) {
  auto& state = self->state;
  state.pause = std::clamp(state.pause * 2, first_pause, longest_pause);
  state.paused_until = self->clock().now() + state.pause;
  metrics().paused.set(1);
  ops::warn(event, {{"cause", why.what}, {"pause_ms", state.pause.count()}});
}

void go_on(self_pointer self) {
  if (!std::exchange(self->state.going, true))
    self->send(self, embed_on{});
}

[[nodiscard]] bool choose_model(self_pointer self) {
  auto& state = self->state;
  if (*state.deps.model)
    return true;
  const auto& traits = state.deps.embedder->traits();
  auto chosen = state.desk->use_model(traits.id, traits.dimensions);
  if (!chosen) {
    pause(self, "embedding.model_not_chosen", chosen.error());
    return false;
  }
  *state.deps.model = *chosen;
  ops::info("embedding.model", {{"model", traits.id}, {"number", chosen->value}});
  return true;
}

/// What could not be stored now is given back: claimed anew in a moment.
void give_back(self_pointer self, std::span<const storage::text_work> texts,
               milliseconds after) {
  if (auto released = self->state.desk->release(texts, after); !released)
    ops::warn("embedding.not_released", {{"cause", released.error().what}});
}

/// Each after its own pause: they are few.
void give_back_busy(self_pointer self, std::span<const storage::text_work> texts) {
  auto& busy = self->state.busy;
  if (busy.size() > most_busy)
    busy.clear();
  for (const auto& one : texts) {
    auto& wait = busy[one.place.seq];
    wait = std::clamp(wait * 2, first_busy_pause, longest_busy_pause);
    give_back(self, {&one, 1}, wait);
  }
}

void note_failures(self_pointer self, std::span<const storage::text_failure> failed) {
  if (failed.empty())
    return;
  metrics().failures.add(static_cast<double>(failed.size()));
  ops::warn("embedding.texts_failed",
            {{"texts", failed.size()}, {"cause", failed.front().what}});
  auto dead = self->state.desk->fail(failed);
  if (!dead)
    ops::warn("embedding.not_noted", {{"cause", dead.error().what}});
  else
    metrics().dead.add(static_cast<double>(*dead));
}

void count_stored(self_pointer self, std::span<const storage::text_vectors> texts,
                  const std::vector<bool>& stored) {
  for (auto i = std::size_t{0}; i < texts.size(); ++i) {
    if (!stored[i]) {
      metrics().stale.add();
      continue;
    }
    self->state.busy.erase(texts[i].place.seq);
    metrics().texts.add();
    metrics().pieces.add(static_cast<double>(texts[i].pieces.size()));
  }
}

/// The works of those that were not stored: still ours, if they are there at all.
[[nodiscard]] std::vector<storage::text_work>
left_over(std::span<const storage::text_vectors> texts, const std::vector<bool>& stored,
          std::span<const storage::text_work> claimed) {
  auto left = std::vector<storage::text_work>{};
  for (auto i = std::size_t{0}; i < texts.size(); ++i)
    if (!stored[i])
      if (const auto work = std::ranges::find_if(
              claimed,
              [&](const auto& one) { return one.place.seq == texts[i].place.seq; });
          work != claimed.end())
        left.push_back(*work);
  return left;
}

/// A database that refuses the texts together may take them one by one.
[[nodiscard]] result<std::vector<bool>>
store_each(self_pointer self, std::span<const storage::text_vectors> texts,
           std::span<const storage::text_work> claimed) {
  auto all = std::vector<bool>{};
  auto failed = std::vector<storage::text_failure>{};
  for (const auto& one : texts) {
    auto stored = self->state.desk->store(**self->state.deps.model, {&one, 1});
    if (!stored && is_away(stored.error()))
      return stored;
    all.push_back(stored && stored->front());
    if (stored)
      continue;
    const auto work = std::ranges::find_if(
        claimed, [&](const auto& two) { return two.place.seq == one.place.seq; });
    failed.push_back(
        {one.place, one.version, work->attempt, stored.error().what, true});
  }
  note_failures(self, failed);
  return all;
}

/// False: the database does not work.
[[nodiscard]] bool store(self_pointer self,
                         std::span<const storage::text_vectors> ready,
                         std::span<const storage::text_work> claimed) {
  if (ready.empty())
    return true;
  auto& state = self->state;
  auto stored = state.desk->store(**state.deps.model, ready);
  if (!stored && !is_away(stored.error()))
    stored = store_each(self, ready, claimed);
  if (!stored) {
    pause(self, "embedding.not_stored", stored.error());
    give_back(self, claimed, state.pause);
    return false;
  }
  count_stored(self, ready, *stored);
  give_back_busy(self, left_over(ready, *stored, claimed));
  return true;
}

/// Embeds and stores; true: look for more.
[[nodiscard]] bool handle(self_pointer self, std::vector<storage::text_work> claimed) {
  auto& state = self->state;
  auto batch = embed_batch(*state.deps.embedder, claimed, state.deps.run);
  if (!store(self, batch.ready, claimed))
    return false;
  note_failures(self, batch.failed);
  if (batch.away) {
    pause(self, "embedding.embedder_away", *batch.away);
    give_back(self, batch.unserved, state.pause);
    return false;
  }
  state.pause = {};
  metrics().paused.set(0);
  return true;
}

/// Nothing waits: old texts, and what other models left. True: there is more of it.
[[nodiscard]] bool tend_old(self_pointer self) {
  auto& state = self->state;
  const auto model = **state.deps.model;
  if (state.old != storage::old_texts::complete) {
    auto now = state.desk->queue_old(model);
    if (!now) {
      pause(self, "embedding.old_not_queued", now.error());
      return false;
    }
    state.old = *now;
    if (*now == storage::old_texts::complete)
      ops::info("embedding.complete", {{"number", model.value}});
    return *now != storage::old_texts::waiting;
  }
  if (state.swept)
    return false;
  auto more = state.desk->drop_old(model);
  if (!more) {
    pause(self, "embedding.old_not_dropped", more.error());
    return false;
  }
  state.swept = !*more;
  return *more;
}

/// One batch, or a step of the housework; true: call again.
[[nodiscard]] bool work(self_pointer self) {
  auto& state = self->state;
  if (self->clock().now() < state.paused_until || !choose_model(self))
    return false;
  auto claimed = state.desk->claim(**state.deps.model);
  if (!claimed) {
    // Perhaps another model is used: when ours is again, old texts are to be done
    // again.
    state.old = storage::old_texts::more;
    state.swept = false;
    pause(self, "embedding.not_claimed", claimed.error());
    return false;
  }
  if (!claimed->empty()) {
    state.look_again = true;
    return handle(self, std::move(*claimed));
  }
  if (tend_old(self))
    return true;
  if (std::exchange(state.look_again, false))
    self->delayed_send(self, last_look, texts_due{});
  return false;
}

void count(self_pointer self) {
  auto& state = self->state;
  const auto now = self->clock().now();
  if (state.counted && now - *state.counted < count_every)
    return;
  state.counted = now;
  const auto backlog = state.desk->count();
  if (!backlog)
    return; // whatever is wrong is told by the work itself
  metrics().lag.set(backlog->oldest_seconds);
  metrics().waiting.set(static_cast<double>(backlog->waiting));
}

} // namespace

embedding_actor::behavior_type embedding(self_pointer self, embedding_deps deps) {
  guard(self, "EMBEDDING");
  ops::give_way(); // a detached actor begins on its own thread
  self->state.desk = deps.open_desk();
  self->state.deps = std::move(deps);
  self->send(self, look_for_texts{});
  return {
      [self](texts_due) { go_on(self); },
      [self](embed_on) {
        self->state.going = false;
        if (work(self))
          go_on(self);
      },
      [self](look_for_texts) {
        count(self);
        go_on(self);
        self->delayed_send(self, look_every, look_for_texts{});
      },
  };
}

} // namespace jessica::actors
