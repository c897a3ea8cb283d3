#include "tests/unit/actors/live_room.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.channel");

using namespace jessica;
using namespace jessica::test;

TEST_CASE("a broadcast skips its sender unless it asked for its own") {
  auto r = live_room{};
  auto plain = r.join(1, false);
  auto echo = r.join(2, true);
  auto channel = r.open();
  r.tell(channel, broadcast{0, 1, {"hi", true, "{}"}});
  r.tell(channel, broadcast{0, 2, {"hi", true, "{}"}});
  CHECK(plain->broadcasts("hi").size() == 1);
  CHECK(echo->broadcasts("hi").size() == 2);
}

TEST_CASE(
    "an empty channel ends, a used one does not, and the topic can be opened again") {
  auto r = live_room{};
  r.join(1);
  auto first = r.open();
  r.begin(first);
  r.tell(first, leave{0, 1});
  CHECK(r.open() == first); // a reply is running (and now one more use is expected)
  r.end(first, reply_over::how::completed);
  CHECK(r.open() == first); // and one more
  r.begin(first);
  r.end(first, reply_over::how::completed);
  r.end(first, reply_over::how::lost); // it ended before it began
  CHECK_FALSE(r.open() == first);
}

TEST_CASE("private and public channels of one name are different rooms") {
  auto r = live_room{};
  auto hidden = r.open();
  r.where.is_private = false;
  CHECK_FALSE(r.open() == hidden);
}

TEST_CASE("channels end with their hub") {
  auto r = live_room{};
  const auto out = r.join(1);
  const auto channel = r.open();
  r.tell(channel, broadcast{0, 0, {"heard", true, "{}"}});
  CHECK(out->broadcasts("heard").size() == 1);
  caf::anon_send_exit(r.hub, caf::exit_reason::user_shutdown);
  r.world.settle();
  r.tell(channel, broadcast{0, 0, {"unheard", true, "{}"}});
  CHECK(out->broadcasts("unheard").empty());
}

TEST_CASE("a topic whose channel failed gets a new one") {
  auto r = live_room{};
  const auto first = r.open();
  caf::anon_send_exit(first.channel, caf::exit_reason::user_shutdown);
  r.world.settle();
  const auto second = r.open();
  CHECK_FALSE(first == second);
  const auto out = r.join(1);
  r.tell(second, broadcast{0, 0, {"heard", true, "{}"}});
  CHECK(out->broadcasts("heard").size() == 1);
}

TEST_CASE("a rejoin of the same socket does not double its messages") {
  auto r = live_room{};
  r.join(1);
  auto again = r.join(1, true);
  auto channel = r.open();
  r.tell(channel, broadcast{0, 0, {"hi", true, "{}"}});
  CHECK(again->broadcasts("hi").size() == 1);
}

namespace {

/// Another topic of the same CHANNEL.
topic neighbour_of(const topic& what) {
  const auto place = [](const topic& one) {
    return topic_hash{}(one) % hub_state::most_channels;
  };
  for (auto i = 0;; ++i)
    if (auto next = topic{"neighbour " + std::to_string(i), true};
        place(next) == place(what))
      return next;
}

} // namespace

TEST_CASE("topics of one CHANNEL are rooms apart, and end apart") {
  auto r = live_room{};
  const auto out = r.join(1);
  const auto here = r.open();
  r.where = neighbour_of(r.where);
  const auto beside = r.join(1);
  const auto there = r.open();
  CHECK(here.channel == there.channel);
  CHECK_FALSE(here == there);
  r.tell(here, broadcast{0, 0, {"here", true, "{}"}});
  CHECK(out->broadcasts("here").size() == 1);
  CHECK(beside->broadcasts("here").empty());
  r.begin(there);
  r.end(there, reply_over::how::completed);
  r.tell(there, leave{0, 1}); // the last one
  CHECK_FALSE(r.open() == there);
  r.tell(here, broadcast{0, 0, {"here", true, "{}"}});
  CHECK(out->broadcasts("here").size() == 2);
}

TEST_CASE("what comes for a room that has ended is for nobody") {
  auto r = live_room{};
  auto who = live_room::newcomer_of(1);
  who.member.out = std::make_shared<recorded_outbox>();
  const auto first = r.world.ask<open_room>(r.hub, join_topic{r.where, who});
  REQUIRE(first);
  r.tell(*first, leave{0, 1});
  const auto out = r.join(1);
  r.tell(*first, leave{0, 1});
  r.tell(*first, broadcast{0, 0, {"stale", true, "{}"}});
  CHECK(out->broadcasts("stale").empty());
  r.tell(r.open(), broadcast{0, 0, {"x", true, "{}"}});
  CHECK(out->broadcasts("x").size() == 1);
}

TEST_CASE("a broadcast from outside goes to its topic alone, if it is open") {
  auto r = live_room{};
  r.world.tell(r.hub, publish_on{r.where, {"early", true, "{}"}});
  const auto out = r.join(1);
  auto other = r.where;
  r.where = neighbour_of(r.where);
  const auto beside = r.join(2);
  r.world.tell(r.hub, publish_on{other, {"x", true, "{}"}});
  CHECK(out->broadcasts("x").size() == 1);
  CHECK(out->broadcasts("early").empty());
  CHECK(beside->broadcasts("x").empty());
  other.is_private = false;
  r.world.tell(r.hub, publish_on{other, {"x", true, "{}"}});
  CHECK(out->broadcasts("x").size() == 1);
}

TEST_CASE("a room that only stored broadcasts find empty ends") {
  auto r = live_room{};
  auto who = live_room::newcomer_of(1);
  const auto dead = std::make_shared<recorded_outbox>();
  who.member.out = dead;
  const auto first = r.world.ask<open_room>(r.hub, join_topic{r.where, who});
  REQUIRE(first);
  dead->open = false;
  auto made = storage::stored_broadcast{};
  made.id = uuid::make();
  made.topic = r.where.name;
  made.is_private = true;
  made.event = "e";
  made.payload = "{}";
  const auto stored = std::make_shared<const storage::stored_broadcast>(made);
  REQUIRE(r.world.ask<done>(r.hub, tell_stored{{stored}}));
  CHECK_FALSE(r.open() == *first);
}

TEST_SUITE_END();
