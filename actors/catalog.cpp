#include "actors/catalog.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = catalog_actor::stateful_pointer<catalog_state>;

/// A migration is many commands: the first is heard at once, the rest together.
constexpr auto gathering = std::chrono::milliseconds{50};
/// Whoever asks for what is not there makes us look this often at most.
constexpr auto between_misses = std::chrono::seconds{2};
constexpr auto retry_pause = std::chrono::seconds{1};

struct catalog_metrics {
  ops::counter reads{"jessica_actors_schema_reads_total",
                     "Times the schema was read for REST"};
  ops::gauge tables{"jessica_actors_schema_tables", "Tables and views REST knows"};
};

[[nodiscard]] catalog_metrics& metrics() {
  static auto known = catalog_metrics{};
  return known;
}

void read_in(self_pointer self, std::chrono::milliseconds pause) {
  auto& state = self->state;
  if (std::exchange(state.due, true))
    return;
  if (pause == std::chrono::milliseconds::zero())
    self->send(self, schema_due{});
  else
    self->delayed_send(self, pause, schema_due{});
}

/// Reads the schema; what there was stays when that fails, and it is tried again.
void read_now(self_pointer self) {
  auto& state = self->state;
  state.read_at = self->clock().now();
  auto fresh = state.deps.read(state.version + 1);
  if (!fresh) {
    ops::warn("schema.not_read", {{"cause", fresh.error().what}});
    read_in(self, retry_pause);
    return;
  }
  ++state.version;
  state.now = std::move(*fresh);
  metrics().reads.add();
  metrics().tables.set(static_cast<double>(state.now->tables.size()));
  if (state.now->cut)
    ops::warn("schema.cut", {{"tables", state.now->tables.size()}});
  ops::debug("schema.read",
             {{"version", state.version}, {"tables", state.now->tables.size()}});
  for (const auto& follower : *state.deps.followers)
    self->send(follower, schema_loaded{state.now});
}

[[nodiscard]] schema_loaded follow(self_pointer self) {
  auto& state = self->state;
  auto asker = caf::actor_cast<clerk_actor>(self->current_sender());
  auto& followers = *state.deps.followers;
  if (asker && !std::ranges::contains(followers, asker)) {
    self->monitor(asker);
    followers.push_back(std::move(asker));
  }
  if (!state.now && !state.due)
    read_now(self);
  return {state.now};
}

} // namespace

read_schema read_schema_of(storage::endpoint database) {
  return [where = std::move(database)](std::uint64_t version) {
    auto db = storage::connection{where, storage::role::requests};
    return storage::load_schema(db, version, {});
  };
}

catalog_actor::behavior_type catalog(self_pointer self, catalog_deps deps) {
  guard(self, "CATALOG");
  self->state.deps = std::move(deps);
  self->set_down_handler([self](caf::down_msg& down) {
    std::erase_if(*self->state.deps.followers,
                  [&](const auto& one) { return one.address() == down.source; });
  });
  for (const auto& follower : *self->state.deps.followers)
    self->monitor(follower);
  if (!self->state.deps.followers->empty())
    read_in(self, std::chrono::milliseconds::zero());
  return {
      [self](follow_schema) { return follow(self); },
      [self](schema_changed) {
        const auto quiet = self->clock().now() - self->state.read_at > gathering;
        read_in(self, quiet ? std::chrono::milliseconds::zero() : gathering);
      },
      [self](schema_missed missed) {
        auto& state = self->state;
        const auto since = self->clock().now() - state.read_at;
        if (missed.version == state.version && since > between_misses)
          read_in(self, std::chrono::milliseconds::zero());
      },
      [self](schema_due) {
        self->state.due = false;
        read_now(self);
      },
  };
}

} // namespace jessica::actors
