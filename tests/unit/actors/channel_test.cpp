#include "actors/channel.hpp"
#include "actors/hub.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.channel");

namespace {

using namespace jessica;
using namespace jessica::actors;

struct room {
  test::actor_world world;
  hub_actor hub = world.own(world.sys().spawn(actors::hub));
  topic where{"conversation:1", true};
  message_id reply = message_id::make();

  std::shared_ptr<test::recorded_outbox> join(socket_number socket, bool self = false) {
    auto out = std::make_shared<test::recorded_outbox>();
    auto who = member{.socket = socket,
                      .out = out,
                      .version = wire::serializer::v1,
                      .topic = "realtime:conversation:1",
                      .join_ref = "1",
                      .ref = "1",
                      .self = self,
                      .join_response = "{}",
                      .greetings = {}};
    REQUIRE(world.ask<channel_actor>(hub, join_topic{where, std::move(who)}));
    return out;
  }

  channel_actor open() {
    auto opened = world.ask<channel_actor>(hub, open_topic{where});
    REQUIRE(opened);
    return *opened;
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

  void begin(const channel_actor& to, std::int32_t attempt = 1) {
    world.tell(to, reply_begun{job_of_reply(attempt), "builtin", std::nullopt});
  }

  void grow(const channel_actor& to, std::uint64_t first, std::uint64_t last,
            std::string text, std::int32_t attempt = 1) {
    world.tell(to, reply_grew{{reply, attempt}, first, last, std::move(text)});
  }

  void end(const channel_actor& to, reply_over::how how, std::int32_t attempt = 1) {
    world.tell(to, reply_over{.of = {reply, attempt},
                              .end = how,
                              .seq = 3,
                              .finish_reason = "stop",
                              .what = "why",
                              .used = {}});
  }
};

} // namespace

TEST_CASE("a join is answered first, then come snapshots of what is being written") {
  auto r = room{};
  auto channel = r.open();
  r.begin(channel);
  r.grow(channel, 1, 2, "Hello ");
  auto late = r.join(1);
  const auto seen = late->messages();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].at("event") == "phx_reply");
  const auto snapshots = late->broadcasts("reply.snapshot");
  REQUIRE(snapshots.size() == 1);
  CHECK(snapshots[0].at("text") == "Hello ");
  CHECK(snapshots[0].at("seq") == 2);
  r.grow(channel, 3, 3, "world");
  const auto deltas = late->broadcasts("reply.delta");
  REQUIRE(deltas.size() == 1);
  CHECK(deltas[0].at("first_seq") == 3);
}

TEST_CASE("the events of a reply arrive in order at every member") {
  auto r = room{};
  auto one = r.join(1);
  auto two = r.join(2);
  auto channel = r.open();
  r.begin(channel);
  r.grow(channel, 1, 1, "a");
  r.grow(channel, 2, 3, "b c");
  r.end(channel, reply_over::how::completed);
  for (const auto& out : {one, two}) {
    auto events = std::vector<std::string>{};
    for (const auto& message : out->messages())
      if (message.at("event") == "broadcast")
        events.emplace_back(message.at("payload").at("event").as_string());
    CHECK(events == std::vector<std::string>{"reply.started", "reply.delta",
                                             "reply.delta", "reply.completed"});
  }
}

TEST_CASE("a broadcast skips its sender unless it asked for its own") {
  auto r = room{};
  auto plain = r.join(1, false);
  auto echo = r.join(2, true);
  auto channel = r.open();
  r.world.tell(channel, broadcast{1, {"hi", true, "{}"}});
  r.world.tell(channel, broadcast{2, {"hi", true, "{}"}});
  CHECK(plain->broadcasts("hi").size() == 1);
  CHECK(echo->broadcasts("hi").size() == 2);
}

TEST_CASE("a second attempt announces itself by one reset and starts from nothing") {
  auto r = room{};
  auto out = r.join(1);
  auto channel = r.open();
  r.begin(channel);
  r.grow(channel, 1, 1, "old");
  r.end(channel, reply_over::how::retrying);
  r.begin(channel, 2);
  r.grow(channel, 1, 1, "new", 2);
  CHECK(out->broadcasts("reply.reset").size() == 1);
  CHECK(out->broadcasts("reply.failed").empty());
  auto late = r.join(2);
  REQUIRE(late->broadcasts("reply.snapshot").size() == 1);
  CHECK(late->broadcasts("reply.snapshot")[0].at("text") == "new");
  CHECK(late->broadcasts("reply.snapshot")[0].at("attempt") == 2);
}

TEST_CASE("what an older attempt still says is not heard") {
  auto r = room{};
  auto out = r.join(1);
  auto channel = r.open();
  r.begin(channel, 2);
  r.grow(channel, 1, 1, "stale", 1);
  r.end(channel, reply_over::how::completed, 1);
  CHECK(out->broadcasts("reply.delta").empty());
  CHECK(out->broadcasts("reply.completed").empty());
}

TEST_CASE("a failed reply is told with its reason") {
  auto r = room{};
  auto out = r.join(1);
  auto channel = r.open();
  r.begin(channel);
  r.end(channel, reply_over::how::failed);
  REQUIRE(out->broadcasts("reply.failed").size() == 1);
}

TEST_CASE(
    "an empty channel ends, a used one does not, and the topic can be opened again") {
  auto r = room{};
  r.join(1);
  auto first = r.open();
  r.begin(first);
  r.world.tell(first, leave{1});
  CHECK(r.open() == first); // a reply is running (and now one more use is expected)
  r.end(first, reply_over::how::completed);
  CHECK(r.open() == first); // and one more
  r.begin(first);
  r.end(first, reply_over::how::completed);
  r.end(first, reply_over::how::lost); // it ended before it began
  CHECK(!(r.open() == first));
}

TEST_CASE("a reply that was stopped before it began is told") {
  auto r = room{};
  auto out = r.join(1);
  r.end(r.open(), reply_over::how::cancelled);
  CHECK(out->broadcasts("reply.cancelled").size() == 1);
}

TEST_CASE("private and public channels of one name are different rooms") {
  auto r = room{};
  auto hidden = r.open();
  r.where.is_private = false;
  CHECK(!(r.open() == hidden));
}

TEST_CASE("a rejoin of the same socket does not double its messages") {
  auto r = room{};
  r.join(1);
  auto again = r.join(1, true);
  auto channel = r.open();
  r.world.tell(channel, broadcast{0, {"hi", true, "{}"}});
  CHECK(again->broadcasts("hi").size() == 1);
}

TEST_SUITE_END();
