#include "actors/hub.hpp"

#include "actors/channel.hpp"
#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = hub_actor::stateful_pointer<hub_state>;

[[nodiscard]] ops::gauge& open_channels() {
  static auto shown = ops::gauge{"jessica_actors_channels", "Live topics"};
  return shown;
}

[[nodiscard]] hub_state::entry& find_or_open(self_pointer self, const topic& what) {
  auto& channels = self->state.channels;
  const auto found = channels.find(what);
  if (found != channels.end())
    return found->second;
  auto made = self->spawn(channel, what, hub_actor{self});
  self->monitor(made);
  open_channels().set(static_cast<double>(channels.size() + 1));
  return channels.emplace(what, hub_state::entry{std::move(made), 0}).first->second;
}

/// A CHANNEL failed: the next who wants its topic gets a new one.
void forget(self_pointer self, const caf::down_msg& down) {
  auto& channels = self->state.channels;
  const auto found = std::ranges::find_if(channels, [&](const auto& item) {
    return item.second.channel.address() == down.source;
  });
  if (found == channels.end())
    return;
  ops::warn("channel.failed",
            {{"topic", found->first.name}, {"cause", from_caf(down.reason).what}});
  channels.erase(found);
}

} // namespace

hub_state::~hub_state() {
  for (const auto& [what, open] : channels)
    caf::anon_send_exit(open.channel, caf::exit_reason::user_shutdown);
}

hub_actor::behavior_type hub(self_pointer self) {
  guard(self, "HUB");
  self->set_down_handler([self](const caf::down_msg& down) { forget(self, down); });
  return {
      [self](join_topic& msg) -> channel_actor {
        auto& entry = find_or_open(self, msg.topic);
        ++entry.forwarded;
        self->send(entry.channel, admit{std::move(msg.member)});
        return entry.channel;
      },
      [self](const open_topic& msg) -> channel_actor {
        auto& entry = find_or_open(self, msg.topic);
        ++entry.forwarded;
        self->send(entry.channel, expect_use{});
        return entry.channel;
      },
      [self](const passivate& msg) {
        auto& channels = self->state.channels;
        const auto found = channels.find(msg.topic);
        // A message is on its way to it: it will ask again when it is empty again. Or
        // it asked twice, and another CHANNEL has its topic by now.
        if (found == channels.end() || found->second.forwarded != msg.seen ||
            found->second.channel.address() != self->current_sender())
          return;
        self->demonitor(found->second.channel.address());
        self->send(found->second.channel, done{});
        channels.erase(found);
        open_channels().set(static_cast<double>(channels.size()));
      },
  };
}

} // namespace jessica::actors
