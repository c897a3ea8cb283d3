// A topic on a node: HUB, CHANNEL, and members whose sockets are recorded.
#pragma once

#include "actors/channel.hpp"
#include "actors/hub.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::test {

using namespace actors;

struct live_room {
  actor_world world;
  hub_actor hub = world.own(world.sys().spawn(actors::hub));
  topic where{"conversation:1", true};
  message_id reply = message_id::make();

  std::shared_ptr<recorded_outbox> join(socket_number socket, bool self = false) {
    auto who = newcomer_of(socket);
    who.member.self = self;
    return admit(std::move(who));
  }

  /// One that hears who is here.
  std::shared_ptr<recorded_outbox> watch(socket_number socket, std::string key) {
    auto who = newcomer_of(socket);
    who.member.presence = true;
    who.member.presence_key = std::move(key);
    return admit(std::move(who));
  }

  static newcomer newcomer_of(socket_number socket) {
    auto who = newcomer{};
    who.member.socket = socket;
    who.member.version = wire::serializer::v1;
    who.member.join_ref = who.ref = "1";
    who.join_response = "{}";
    return who;
  }

  std::shared_ptr<recorded_outbox> admit(newcomer who) {
    auto out = std::make_shared<recorded_outbox>();
    who.member.out = out;
    REQUIRE(world.ask<open_room>(hub, join_topic{where, std::move(who)}));
    return out;
  }

  open_room open() {
    auto opened = world.ask<open_room>(hub, open_topic{where});
    REQUIRE(opened);
    return *opened;
  }

  template <class Message> void tell(const open_room& to, Message what) {
    what.room = to.number;
    world.tell(to.channel, std::move(what));
  }

  job job_of_reply(std::int32_t attempt) const {
    return {.id = {1},
            .attempt = attempt,
            .user = {},
            .conversation = {},
            .message = {},
            .reply = reply,
            .params = "{}",
            .cancelled = false};
  }

  void begin(const open_room& to, std::int32_t attempt = 1) {
    tell(to, reply_begun{0, job_of_reply(attempt), "builtin", std::nullopt});
  }

  void grow(const open_room& to, std::uint64_t first, std::uint64_t last,
            std::string text, std::int32_t attempt = 1) {
    tell(to, reply_grew{0, {reply, attempt}, first, last, std::move(text)});
  }

  void end(const open_room& to, reply_over::how how, std::int32_t attempt = 1) {
    tell(to, reply_over{.of = {reply, attempt},
                        .end = how,
                        .seq = 3,
                        .finish_reason = "stop",
                        .what = "why",
                        .used = {}});
  }
};

using strings = std::vector<std::string>;

[[nodiscard]] inline strings events(const recorded_outbox& out) {
  auto found = strings{};
  for (const auto& message : out.messages())
    found.emplace_back(message.at("event").as_string());
  return found;
}

/// What a key shows in a presence_state, or in a side of a presence_diff.
[[nodiscard]] inline boost::json::array shown(const boost::json::value& in,
                                              std::string_view key) {
  const auto* found = in.as_object().if_contains(key);
  return found == nullptr ? boost::json::array{} : found->at("metas").as_array();
}

[[nodiscard]] inline boost::json::array
changed(const boost::json::value& diff, std::string_view side, std::string_view key) {
  CHECK(diff.at("event") == "presence_diff");
  return shown(diff.at("payload").at(side), key);
}

} // namespace jessica::test
