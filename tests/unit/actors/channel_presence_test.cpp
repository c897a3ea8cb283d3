#include "tests/unit/actors/live_room.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.channel_presence");

using namespace jessica;
using namespace jessica::test;

TEST_CASE("who watches gets the state behind the join's answer, and every change") {
  auto r = live_room{};
  auto ada = r.watch(1, "ada");
  CHECK(events(*ada) == strings{"phx_reply", "presence_state"});
  CHECK(ada->messages()[1].at("payload") == boost::json::object{});
  auto channel = r.open();
  r.tell(channel, track{0, 1, R"({"n":1})"});
  CHECK(ada->messages()[2].at("ref").is_null());
  CHECK(changed(ada->messages()[2], "joins", "ada").at(0).at("n") == 1);

  auto bob = r.watch(2, "bob");
  CHECK(shown(bob->messages()[1].at("payload"), "ada").at(0).at("n") == 1);
  r.tell(channel, track{0, 2, "{}"});
  r.tell(channel, track{0, 1, R"({"n":2})"});
  r.tell(channel, untrack{0, 1});
  CHECK(events(*bob) == strings{"phx_reply", "presence_state", "presence_diff",
                                "presence_diff", "presence_diff"});
  const auto update = bob->messages()[3];
  CHECK(changed(update, "joins", "ada").at(0).at("n") == 2);
  CHECK(changed(update, "leaves", "ada").at(0).at("n") == 1);
  CHECK(changed(bob->messages()[4], "leaves", "ada").at(0).at("n") == 2);
}

TEST_CASE("who does not watch is seen and hears nothing of it") {
  auto r = live_room{};
  auto ada = r.watch(1, "ada");
  auto silent = live_room::newcomer_of(2);
  silent.member.presence_key = "quiet";
  auto quiet = r.admit(std::move(silent));
  auto channel = r.open();
  r.tell(channel, track{0, 2, "{}"});
  CHECK(events(*quiet) == strings{"phx_reply"});
  CHECK(changed(ada->messages().back(), "joins", "quiet").size() == 1);
}

TEST_CASE("a member without a key gets one, which it keeps") {
  auto r = live_room{};
  auto ada = r.watch(1, "");
  auto channel = r.open();
  const auto key_of = [&](std::string_view side) {
    const auto last = ada->messages().back();
    const auto& keys = last.at("payload").at(side).as_object();
    REQUIRE(keys.size() == 1);
    return std::string{keys.begin()->key()};
  };
  r.tell(channel, track{0, 1, "{}"});
  const auto made = key_of("joins");
  CHECK(uuid::parse(made));
  r.tell(channel, untrack{0, 1});
  CHECK(key_of("leaves") == made);
  r.tell(channel, track{0, 1, "{}"});
  CHECK(key_of("joins") == made);
}

TEST_CASE("a socket that leaves is gone for the others") {
  auto r = live_room{};
  r.watch(1, "ada");
  auto bob = r.watch(2, "bob");
  auto channel = r.open();
  r.tell(channel, track{0, 1, "{}"});
  r.tell(channel, leave{0, 1});
  CHECK(changed(bob->messages().back(), "leaves", "ada").size() == 1);
  const auto before = bob->frames.size();
  r.tell(channel, leave{0, 1});
  r.tell(channel, untrack{0, 2});     // showed nothing
  r.tell(channel, track{0, 1, "{}"}); // is no member any more
  CHECK(bob->frames.size() == before);
  CHECK(r.watch(3, "eve")->messages()[1].at("payload") == boost::json::object{});
}

TEST_CASE("a rejoin of the same socket starts without a presence") {
  auto r = live_room{};
  r.watch(1, "ada");
  auto bob = r.watch(2, "bob");
  r.tell(r.open(), track{0, 1, "{}"});
  auto again = r.watch(1, "ada");
  CHECK(changed(bob->messages().back(), "leaves", "ada").size() == 1);
  CHECK(again->messages()[1].at("payload") == boost::json::object{});
}

TEST_CASE("a change of presence is encoded once for all of a version") {
  auto r = live_room{};
  auto one = r.watch(1, "ada");
  auto two = r.watch(2, "bob");
  r.tell(r.open(), track{0, 1, "{}"});
  CHECK(one->frames.back() == two->frames.back());
}

TEST_CASE("a member hears what a new token allows, from its beginning") {
  auto r = live_room{};
  auto channel = r.open();
  r.begin(channel);
  auto deaf = live_room::newcomer_of(1);
  deaf.member.broadcasts = false;
  auto out = r.admit(std::move(deaf));
  r.watch(2, "bob");
  r.tell(channel, track{0, 2, "{}"});
  r.tell(channel, broadcast{0, 0, {"hi", true, "{}"}});
  CHECK(events(*out) == strings{"phx_reply"});

  r.tell(channel, hear{0, 1, true, true});
  CHECK(events(*out) == strings{"phx_reply", "presence_state", "broadcast"});
  CHECK(shown(out->messages()[1].at("payload"), "bob").size() == 1);
  CHECK(out->broadcasts("reply.snapshot").size() == 1);
  r.tell(channel, hear{0, 1, true, true}); // nothing new: nothing again
  CHECK(out->frames.size() == 3);

  r.tell(channel, hear{0, 1, false, false});
  r.tell(channel, broadcast{0, 0, {"hi", true, "{}"}});
  r.tell(channel, untrack{0, 2});
  CHECK(out->frames.size() == 3);
}

TEST_CASE("a member whose socket is found closed is one no more, nor shown") {
  auto r = live_room{};
  auto dead = r.watch(1, "ada");
  auto other = r.watch(2, "bob");
  const auto to = r.open();
  r.tell(to, track{0, 1, R"({"n":1})"});
  dead->open = false; // its SESSION died without a word
  r.tell(to, broadcast{0, 0, {"x", true, "{}"}});
  CHECK(other->broadcasts("x").size() == 1);
  const auto gone = other->messages().back();
  CHECK(changed(gone, "leaves", "ada").size() == 1);
  dead->open = true;
  const auto before = dead->frames.size();
  r.tell(to, broadcast{0, 0, {"x", true, "{}"}});
  CHECK(dead->frames.size() == before);
  CHECK(other->broadcasts("x").size() == 2);
}

TEST_CASE("members that are found closed while others leave go, too") {
  auto r = live_room{};
  auto first = r.watch(1, "ada");
  auto second = r.watch(2, "bob");
  auto third = r.watch(3, "eve");
  const auto to = r.open();
  for (auto socket : {1U, 2U})
    r.tell(to, track{0, socket, "{}"});
  first->open = second->open = false;
  third->frames.clear();
  r.tell(to, track{0, 3, "{}"}); // the diff is what finds them
  const auto told = third->messages();
  REQUIRE(told.size() == 3);
  const auto both = {changed(told[1], "leaves", "ada").size() +
                         changed(told[1], "leaves", "bob").size(),
                     changed(told[2], "leaves", "ada").size() +
                         changed(told[2], "leaves", "bob").size()};
  for (const auto one : both)
    CHECK(one == 1);
}

TEST_CASE("a room whose last member was found closed ends, and a new one is another") {
  auto r = live_room{};
  auto who = live_room::newcomer_of(1);
  auto dead = std::make_shared<recorded_outbox>();
  who.member.out = dead;
  const auto first = r.world.ask<open_room>(r.hub, join_topic{r.where, who});
  REQUIRE(first);
  dead->open = false;
  r.tell(*first, broadcast{0, 0, {"x", true, "{}"}});
  CHECK_FALSE(r.open() == *first);
}

TEST_SUITE_END();
