#include "actors/hub.hpp"

#include "actors/channel.hpp"
#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <map>
#include <memory>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = hub_actor::stateful_pointer<hub_state>;

[[nodiscard]] std::size_t place_of(topic_view what) noexcept {
  return topic_hash{}(what) % hub_state::most_channels;
}

/// Made when there is none.
[[nodiscard]] const channel_actor& channel_of(self_pointer self, topic_view what) {
  auto& found = self->state.channels[place_of(what)];
  if (!found) {
    found = self->spawn(channel);
    self->monitor(found);
  }
  return found;
}

/// A CHANNEL failed: the next who wants one of its topics gets a new one.
void forget_channel(self_pointer self, const caf::down_msg& down) {
  for (auto& one : self->state.channels)
    if (one && one.address() == down.source) {
      one = nullptr;
      ops::warn("channel.failed", {{"cause", from_caf(down.reason).what}});
    }
}

// --- broadcasts from outside ---------------------------------------------------------

/// A commit is in the log a moment before queries see it; far longer than that moment.
constexpr auto told_for = std::chrono::seconds{10};
constexpr auto most_told = std::size_t{1024};

void forget_old(self_pointer self) {
  auto& told = self->state.told;
  const auto now = self->clock().now();
  while (!told.empty() &&
         (told.size() > most_told || now - told.front().when > told_for))
    told.pop_front();
}

void remember(self_pointer self, const tell_stored& msg) {
  auto& told = self->state.told;
  for (const auto& one : msg.what)
    if (told.empty() || told.back().xid != one->xid)
      told.push_back({one->xid, self->clock().now()});
  forget_old(self);
}

void publish(self_pointer self, publish_on& msg) {
  if (const auto& to = self->state.channels[place_of(msg.topic)])
    self->send(to, std::move(msg));
}

/// Those of each CHANNEL's topics, in their order; where there is none nobody hears
/// them.
[[nodiscard]] std::map<std::size_t, relay_stored> by_channel(const hub_state& state,
                                                             const tell_stored& msg) {
  auto shares = std::map<std::size_t, relay_stored>{};
  for (const auto& one : msg.what) {
    const auto place = place_of({one->topic, one->is_private});
    if (state.channels[place])
      shares[place].what.push_back(one);
  }
  return shares;
}

[[nodiscard]] caf::typed_response_promise<done> relay(self_pointer self,
                                                      const tell_stored& msg) {
  auto told = self->make_response_promise<done>();
  auto shares = by_channel(self->state, msg);
  if (shares.empty()) {
    told.deliver(done{});
    return told;
  }
  const auto left = std::make_shared<std::size_t>(shares.size());
  auto one_less = [told, left]() mutable {
    if (--*left == 0)
      told.deliver(done{});
  };
  for (auto& [place, share] : shares)
    self->request(self->state.channels[place], caf::infinite, std::move(share))
        .then([one_less](done) mutable { one_less(); },
              // Its members join again.
              [one_less](const caf::error&) mutable { one_less(); });
  return told;
}

} // namespace

hub_state::~hub_state() {
  for (const auto& one : channels)
    if (one)
      caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
}

hub_actor::behavior_type hub(self_pointer self) {
  guard(self, "HUB");
  self->set_down_handler(
      [self](const caf::down_msg& down) { forget_channel(self, down); });
  return {
      [self](join_topic& msg) -> caf::result<open_room> {
        return self->delegate(channel_of(self, msg.topic), std::move(msg));
      },
      [self](open_topic& msg) -> caf::result<open_room> {
        return self->delegate(channel_of(self, msg.topic), std::move(msg));
      },
      [self](publish_on& msg) { publish(self, msg); },
      [self](const tell_stored& msg) {
        remember(self, msg);
        return relay(self, msg);
      },
      [self](list_told) {
        forget_old(self);
        auto lately = told_lately{};
        for (const auto& one : self->state.told)
          lately.xids.push_back(one.xid);
        return lately;
      },
  };
}

} // namespace jessica::actors
