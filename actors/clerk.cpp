#include "actors/clerk.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = clerk_actor::stateful_pointer<clerk_state>;

/// The first reading of a large schema on a busy machine; requests wait meanwhile.
constexpr auto schema_limit = std::chrono::seconds{10};

void follow(self_pointer self) {
  // Until the answer is here, everything else waits in the mailbox.
  self->request(self->state.catalog, schema_limit, follow_schema{})
      .await([self](schema_loaded& got) { self->state.schema = std::move(got.now); },
             [](const caf::error& why) {
               ops::warn("schema.not_followed", {{"cause", from_caf(why).what}});
             });
}

[[nodiscard]] caf::result<rest_reply> carry(self_pointer self, const perform& asked) {
  auto& state = self->state;
  if (!state.schema) {
    follow(self); // for the next request
    return to_caf({errc::unavailable,
                   "Could not query the database for the schema cache. Retrying.",
                   "PGRST002", nullptr});
  }
  auto done = state.run(*asked.what, *state.schema);
  if (done)
    return std::move(*done);
  if (storage::may_be_outdated(done.error()))
    self->send(state.catalog, schema_missed{state.schema->version});
  return to_caf(std::move(done.error()));
}

} // namespace

carry_out carry_out_on(storage::endpoint database, storage::rest_limits limits) {
  auto db = std::make_shared<storage::connection>(std::move(database),
                                                  storage::role::requests);
  return [db, limits, seen = std::uint64_t{0}](
             const rest_request& what, const storage::rest_schema& schema) mutable {
    if (std::exchange(seen, schema.version) != schema.version)
      db->forget_prepared();
    return storage::perform(*db, what, schema, limits);
  };
}

clerk_actor::behavior_type clerk(self_pointer self, carry_out run,
                                 catalog_actor catalog) {
  guard(self, "CLERK");
  self->state.run = std::move(run);
  self->state.catalog = std::move(catalog);
  follow(self);
  return {
      [self](const perform& asked) { return carry(self, asked); },
      [self](const schema_loaded& fresh) { self->state.schema = fresh.now; },
      [](are_you_free) { return done{}; },
  };
}

} // namespace jessica::actors
