#include "actors/channel.hpp"
#include "actors/hub.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <format>

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
    auto who = member_of(socket);
    who.self = self;
    return admit(std::move(who));
  }

  /// One that hears who is here.
  std::shared_ptr<test::recorded_outbox> watch(socket_number socket, std::string key) {
    auto who = member_of(socket);
    who.presence = true;
    who.presence_key = std::move(key);
    return admit(std::move(who));
  }

  static member member_of(socket_number socket) {
    auto who = member{};
    who.socket = socket;
    who.version = wire::serializer::v1;
    who.topic = "realtime:conversation:1";
    who.join_ref = who.ref = "1";
    who.join_response = "{}";
    return who;
  }

  std::shared_ptr<test::recorded_outbox> admit(member who) {
    auto out = std::make_shared<test::recorded_outbox>();
    who.out = out;
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

using strings = std::vector<std::string>;

strings events(const test::recorded_outbox& out) {
  auto found = strings{};
  for (const auto& message : out.messages())
    found.emplace_back(message.at("event").as_string());
  return found;
}

/// What a key shows in a presence_state, or in a side of a presence_diff.
boost::json::array shown(const boost::json::value& in, std::string_view key) {
  const auto* found = in.as_object().if_contains(key);
  return found == nullptr ? boost::json::array{} : found->at("metas").as_array();
}

boost::json::array changed(const boost::json::value& diff, std::string_view side,
                           std::string_view key) {
  CHECK(diff.at("event") == "presence_diff");
  return shown(diff.at("payload").at(side), key);
}

} // namespace

TEST_CASE("who watches gets the state behind the join's answer, and every change") {
  auto r = room{};
  auto ada = r.watch(1, "ada");
  CHECK(events(*ada) == strings{"phx_reply", "presence_state"});
  CHECK(ada->messages()[1].at("payload") == boost::json::object{});
  auto channel = r.open();
  r.world.tell(channel, track{1, R"({"n":1})"});
  CHECK(ada->messages()[2].at("ref").is_null());
  CHECK(changed(ada->messages()[2], "joins", "ada").at(0).at("n") == 1);

  auto bob = r.watch(2, "bob");
  CHECK(shown(bob->messages()[1].at("payload"), "ada").at(0).at("n") == 1);
  r.world.tell(channel, track{2, "{}"});
  r.world.tell(channel, track{1, R"({"n":2})"});
  r.world.tell(channel, untrack{1});
  CHECK(events(*bob) == strings{"phx_reply", "presence_state", "presence_diff",
                                "presence_diff", "presence_diff"});
  const auto update = bob->messages()[3];
  CHECK(changed(update, "joins", "ada").at(0).at("n") == 2);
  CHECK(changed(update, "leaves", "ada").at(0).at("n") == 1);
  CHECK(changed(bob->messages()[4], "leaves", "ada").at(0).at("n") == 2);
}

TEST_CASE("who does not watch is seen and hears nothing of it") {
  auto r = room{};
  auto ada = r.watch(1, "ada");
  auto silent = room::member_of(2);
  silent.presence_key = "quiet";
  auto quiet = r.admit(std::move(silent));
  auto channel = r.open();
  r.world.tell(channel, track{2, "{}"});
  CHECK(events(*quiet) == strings{"phx_reply"});
  CHECK(changed(ada->messages().back(), "joins", "quiet").size() == 1);
}

TEST_CASE("a socket that leaves is gone for the others") {
  auto r = room{};
  r.watch(1, "ada");
  auto bob = r.watch(2, "bob");
  auto channel = r.open();
  r.world.tell(channel, track{1, "{}"});
  r.world.tell(channel, leave{1});
  CHECK(changed(bob->messages().back(), "leaves", "ada").size() == 1);
  const auto before = bob->frames.size();
  r.world.tell(channel, leave{1});
  r.world.tell(channel, untrack{2});     // showed nothing
  r.world.tell(channel, track{1, "{}"}); // is no member any more
  CHECK(bob->frames.size() == before);
  CHECK(r.watch(3, "eve")->messages()[1].at("payload") == boost::json::object{});
}

TEST_CASE("a rejoin of the same socket starts without a presence") {
  auto r = room{};
  r.watch(1, "ada");
  auto bob = r.watch(2, "bob");
  r.world.tell(r.open(), track{1, "{}"});
  auto again = r.watch(1, "ada");
  CHECK(changed(bob->messages().back(), "leaves", "ada").size() == 1);
  CHECK(again->messages()[1].at("payload") == boost::json::object{});
}

TEST_CASE("a change of presence is encoded once for all of a version") {
  auto r = room{};
  auto one = r.watch(1, "ada");
  auto two = r.watch(2, "bob");
  r.world.tell(r.open(), track{1, "{}"});
  CHECK(one->frames.back() == two->frames.back());
}

TEST_CASE("a member hears what a new token allows, from its beginning") {
  auto r = room{};
  auto channel = r.open();
  r.begin(channel);
  auto deaf = room::member_of(1);
  deaf.broadcasts = false;
  auto out = r.admit(std::move(deaf));
  r.watch(2, "bob");
  r.world.tell(channel, track{2, "{}"});
  r.world.tell(channel, broadcast{0, {"hi", true, "{}"}});
  CHECK(events(*out) == strings{"phx_reply"});

  r.world.tell(channel, hear{1, true, true});
  CHECK(events(*out) == strings{"phx_reply", "presence_state", "broadcast"});
  CHECK(shown(out->messages()[1].at("payload"), "bob").size() == 1);
  CHECK(out->broadcasts("reply.snapshot").size() == 1);
  r.world.tell(channel, hear{1, true, true}); // nothing new: nothing again
  CHECK(out->frames.size() == 3);

  r.world.tell(channel, hear{1, false, false});
  r.world.tell(channel, broadcast{0, {"hi", true, "{}"}});
  r.world.tell(channel, untrack{2});
  CHECK(out->frames.size() == 3);
}

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

TEST_CASE("channels end with their hub") {
  auto r = room{};
  const auto out = r.join(1);
  const auto channel = r.open();
  r.world.tell(channel, broadcast{0, {"heard", true, "{}"}});
  CHECK(out->broadcasts("heard").size() == 1);
  caf::anon_send_exit(r.hub, caf::exit_reason::user_shutdown);
  r.world.settle();
  r.world.tell(channel, broadcast{0, {"unheard", true, "{}"}});
  CHECK(out->broadcasts("unheard").empty());
}

TEST_CASE("a topic whose channel failed gets a new one") {
  auto r = room{};
  const auto first = r.open();
  caf::anon_send_exit(first, caf::exit_reason::user_shutdown);
  r.world.settle();
  const auto second = r.open();
  CHECK(first != second);
  const auto out = r.join(1);
  r.world.tell(second, broadcast{0, {"heard", true, "{}"}});
  CHECK(out->broadcasts("heard").size() == 1);
}

TEST_CASE("a rejoin of the same socket does not double its messages") {
  auto r = room{};
  r.join(1);
  auto again = r.join(1, true);
  auto channel = r.open();
  r.world.tell(channel, broadcast{0, {"hi", true, "{}"}});
  CHECK(again->broadcasts("hi").size() == 1);
}

namespace {

/// The deltas a member got, as "first-last:text".
strings deltas(const test::recorded_outbox& out) {
  auto found = strings{};
  for (const auto& delta : out.broadcasts("reply.delta"))
    found.push_back(std::format("{}-{}:{}", delta.at("first_seq").to_number<int>(),
                                delta.at("seq").to_number<int>(),
                                delta.at("text").as_string().c_str()));
  return found;
}

constexpr auto slow = slow_readers::slow_above + 1;

} // namespace

TEST_CASE("a slow reader gets what it missed in one delta when it has caught up") {
  auto r = room{};
  const auto channel = r.open();
  const auto quick = r.join(1);
  const auto late = r.join(2);
  r.begin(channel);
  r.grow(channel, 1, 1, "One");
  late->waiting = slow;
  r.grow(channel, 2, 2, ", two");
  r.grow(channel, 3, 4, ", three and four");
  CHECK(deltas(*late) == strings{"1-1:One"});
  late->waiting =
      slow_readers::quick_below; // not yet: it must not begin and stop again
  r.grow(channel, 5, 5, ", five");
  CHECK(deltas(*late).size() == 1);
  late->waiting = 0;
  r.grow(channel, 6, 6, ", six");
  r.grow(channel, 7, 7, ".");
  CHECK(deltas(*late) ==
        strings{"1-1:One", "2-6:, two, three and four, five, six", "7-7:."});
  CHECK(deltas(*quick) == strings{"1-1:One", "2-2:, two", "3-4:, three and four",
                                  "5-5:, five", "6-6:, six", "7-7:."});
}

TEST_CASE("a reply's end brings the rest to those who are still slow, before itself") {
  auto r = room{};
  const auto channel = r.open();
  const auto late = r.join(1);
  r.begin(channel);
  late->waiting = slow;
  r.grow(channel, 1, 2, "all of");
  r.grow(channel, 3, 3, " it");
  r.end(channel, reply_over::how::completed);
  CHECK(deltas(*late) == strings{"1-3:all of it"});
  const auto last = late->messages().back().at("payload").at("event");
  CHECK(last == "reply.completed");
}

TEST_CASE("what a slow reader missed of one attempt is not told of the next") {
  auto r = room{};
  const auto channel = r.open();
  const auto late = r.join(1);
  r.begin(channel);
  late->waiting = slow;
  r.grow(channel, 1, 1, "first try");
  r.begin(channel, 2);
  late->waiting = 0;
  r.grow(channel, 1, 1, "second", 2);
  CHECK(deltas(*late) == strings{"1-1:second"});
}

TEST_CASE("a slow reader that joins anew or hears no more is slow no more") {
  auto r = room{};
  const auto channel = r.open();
  auto late = r.join(1);
  r.begin(channel);
  late->waiting = slow;
  r.grow(channel, 1, 1, "One");
  late = r.join(1); // the snapshot tells it the beginning
  r.grow(channel, 2, 2, ", two");
  CHECK(deltas(*late) == strings{"2-2:, two"});
  late->waiting = slow;
  r.grow(channel, 3, 3, ", three");
  r.world.tell(channel, hear{1, false, false});
  late->waiting = 0;
  r.world.tell(channel, hear{1, true, false});
  r.grow(channel, 4, 4, ", four");
  CHECK(deltas(*late) == strings{"2-2:, two", "4-4:, four"});
}

TEST_CASE("a member whose socket is found closed is one no more, nor shown") {
  auto r = room{};
  auto dead = r.watch(1, "ada");
  auto other = r.watch(2, "bob");
  const auto to = r.open();
  r.world.tell(to, track{1, R"({"n":1})"});
  dead->open = false; // its SESSION died without a word
  r.world.tell(to, broadcast{0, {"x", true, "{}"}});
  CHECK(other->broadcasts("x").size() == 1);
  const auto gone = other->messages().back();
  CHECK(changed(gone, "leaves", "ada").size() == 1);
  dead->open = true;
  const auto before = dead->frames.size();
  r.world.tell(to, broadcast{0, {"x", true, "{}"}});
  CHECK(dead->frames.size() == before);
  CHECK(other->broadcasts("x").size() == 2);
}

TEST_CASE("members that are found closed while others leave go, too") {
  auto r = room{};
  auto first = r.watch(1, "ada");
  auto second = r.watch(2, "bob");
  auto third = r.watch(3, "eve");
  const auto to = r.open();
  for (auto socket : {1U, 2U})
    r.world.tell(to, track{socket, "{}"});
  first->open = second->open = false;
  third->frames.clear();
  r.world.tell(to, track{3, "{}"}); // the diff is what finds them
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
  auto r = room{};
  auto who = room::member_of(1);
  auto dead = std::make_shared<test::recorded_outbox>();
  who.out = dead;
  const auto first = r.world.ask<channel_actor>(r.hub, join_topic{r.where, who});
  REQUIRE(first);
  dead->open = false;
  r.world.tell(*first, broadcast{0, {"x", true, "{}"}});
  CHECK(r.open() != *first);
}

TEST_CASE("a CHANNEL that asks twice to end does not end its successor") {
  auto r = room{};
  auto who = room::member_of(1);
  auto out = std::make_shared<test::recorded_outbox>();
  who.out = out;
  const auto first = r.world.ask<channel_actor>(r.hub, join_topic{r.where, who});
  REQUIRE(first);
  auto& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(r.world.sys().scheduler());
  caf::anon_send(*first, leave{1});
  scheduler.run_once();                            // it asks HUB
  caf::anon_send(r.hub, join_topic{r.where, who}); // makes the successor
  caf::anon_send(*first, leave{1});                // and it asks again
  r.world.settle();
  auto other = room::member_of(2);
  auto heard = std::make_shared<test::recorded_outbox>();
  other.out = heard;
  const auto second = r.world.ask<channel_actor>(r.hub, join_topic{r.where, other});
  REQUIRE(second);
  r.world.tell(*second, broadcast{2, {"x", true, "{}"}});
  CHECK(out->broadcasts("x").size() == 1); // both are in one room
}

TEST_SUITE_END();
