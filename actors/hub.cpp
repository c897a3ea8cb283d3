#include "actors/hub.hpp"

#include "actors/channel.hpp"
#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

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
void forget_channel(self_pointer self, const caf::down_msg& down) {
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
  const auto found = self->state.channels.find(msg.topic);
  if (found != self->state.channels.end())
    self->send(found->second.channel, broadcast{socket_number{0}, std::move(msg.what)});
}

/// Those of each live topic, in their order; others have nobody to hear them.
[[nodiscard]] std::vector<std::pair<channel_actor, relay_stored>>
by_channel(const hub_state& state, const tell_stored& msg) {
  auto made = std::vector<std::pair<channel_actor, relay_stored>>{};
  auto known = std::unordered_map<topic, std::size_t, topic_hash>{};
  for (const auto& one : msg.what) {
    const auto of = topic{one->topic, one->is_private};
    const auto live = state.channels.find(of);
    if (live == state.channels.end())
      continue;
    const auto [at, first] = known.try_emplace(of, made.size());
    if (first)
      made.push_back({live->second.channel, {}});
    made[at->second].second.what.push_back(one);
  }
  return made;
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
  for (auto& [to, share] : shares)
    self->request(to, caf::infinite, std::move(share))
        .then([one_less](done) mutable { one_less(); },
              // Its members join again.
              [one_less](const caf::error&) mutable { one_less(); });
  return told;
}

} // namespace

hub_state::~hub_state() {
  for (const auto& [what, open] : channels)
    caf::anon_send_exit(open.channel, caf::exit_reason::user_shutdown);
}

hub_actor::behavior_type hub(self_pointer self) {
  guard(self, "HUB");
  self->set_down_handler(
      [self](const caf::down_msg& down) { forget_channel(self, down); });
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
