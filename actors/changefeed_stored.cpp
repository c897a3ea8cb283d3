#include "actors/changefeed_stored.hpp"

#include "actors/errors.hpp"
#include "ops/log.hpp"

#include <chrono>
#include <utility>

namespace jessica::actors::changefeed_stored {
namespace {

/// While there was no stream, of all topics together.
constexpr auto most_missed = std::size_t{1000};
/// For CHANNELs to tell their members.
constexpr auto patience = std::chrono::seconds{5};

} // namespace

result<std::vector<storage::stored_broadcast>> read_missed(changefeed_state& state,
                                                           std::string_view snapshot) {
  auto read = storage::missed_broadcasts(*state.db, snapshot,
                                         state.deps.broadcasts->missed(most_missed));
  if (read && read->size() == most_missed)
    ops::warn("broadcasts.missed", {{"told", most_missed}});
  return read;
}

void hand_out(self_pointer self, std::vector<stored_ptr> stored) {
  if (stored.empty())
    return;
  ++self->state.handed;
  const auto told = [self] {
    auto& state = self->state;
    if (--state.handed == 0 && std::exchange(state.reads_when_told, false))
      self->send(self, read_on{});
  };
  self->request(self->state.deps.hub, patience, tell_stored{std::move(stored)})
      .then([told](done) { told(); },
            [told](const caf::error& why) {
              ops::warn("broadcasts.not_told", {{"cause", from_caf(why).what}});
              told();
            });
}

void read_when_told(self_pointer self) {
  if (self->state.handed == 0)
    self->send(self, read_on{});
  else
    self->state.reads_when_told = true;
}

void say_open(changefeed_state& state) {
  for (auto& asker : std::exchange(state.waiting, {}))
    asker.deliver(done{});
}

} // namespace jessica::actors::changefeed_stored
