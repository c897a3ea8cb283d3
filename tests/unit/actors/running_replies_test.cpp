#include "tests/unit/actors/live_room.hpp"

#include <doctest/doctest.h>

#include <format>

TEST_SUITE_BEGIN("actors.running_replies");

using namespace jessica;
using namespace jessica::test;

namespace {

/// The deltas a member got, as "first-last:text".
strings deltas(const recorded_outbox& out) {
  auto found = strings{};
  for (const auto& delta : out.broadcasts("reply.delta"))
    found.push_back(std::format("{}-{}:{}", delta.at("first_seq").to_number<int>(),
                                delta.at("seq").to_number<int>(),
                                delta.at("text").as_string().c_str()));
  return found;
}

constexpr auto slow = slow_readers::slow_above + 1;

} // namespace

TEST_CASE("a join is answered first, then come snapshots of what is being written") {
  auto r = live_room{};
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

TEST_CASE("who comes late learns of the memories, too") {
  auto r = live_room{};
  auto channel = r.open();
  auto memory = recalled_memory{};
  memory.excerpt = "a dog";
  r.tell(channel, reply_begun{0, r.job_of_reply(1), "builtin", std::nullopt, {memory}});
  auto late = r.join(1);
  const auto told = late->broadcasts("reply.snapshot").at(0).at("memories").as_array();
  REQUIRE(told.size() == 1);
  CHECK(told.at(0).at("excerpt").as_string() == "a dog");
  r.begin(channel, 2); // another attempt, which was given none
  auto later = r.join(2);
  CHECK_FALSE(later->broadcasts("reply.snapshot").at(0).contains("memories"));
}

TEST_CASE("the events of a reply arrive in order at every member") {
  auto r = live_room{};
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

TEST_CASE("an older attempt that comes late does not replace the one known") {
  auto r = live_room{};
  auto out = r.join(1);
  auto channel = r.open();
  r.begin(channel, 2);
  r.grow(channel, 1, 1, "new", 2);
  r.begin(channel, 1);
  r.grow(channel, 1, 1, "old", 1);
  CHECK(out->broadcasts("reply.started").size() == 1);
  CHECK(out->broadcasts("reply.delta").size() == 1);
  auto late = r.join(2);
  REQUIRE(late->broadcasts("reply.snapshot").size() == 1);
  CHECK(late->broadcasts("reply.snapshot")[0].at("text") == "new");
}

TEST_CASE("a second attempt announces itself by one reset and starts from nothing") {
  auto r = live_room{};
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
  auto r = live_room{};
  auto out = r.join(1);
  auto channel = r.open();
  r.begin(channel, 2);
  r.grow(channel, 1, 1, "stale", 1);
  r.end(channel, reply_over::how::completed, 1);
  CHECK(out->broadcasts("reply.delta").empty());
  CHECK(out->broadcasts("reply.completed").empty());
}

TEST_CASE("a failed reply is told with its reason") {
  auto r = live_room{};
  auto out = r.join(1);
  auto channel = r.open();
  r.begin(channel);
  r.end(channel, reply_over::how::failed);
  REQUIRE(out->broadcasts("reply.failed").size() == 1);
}

TEST_CASE("a reply that was stopped before it began is told") {
  auto r = live_room{};
  auto out = r.join(1);
  r.end(r.open(), reply_over::how::cancelled);
  CHECK(out->broadcasts("reply.cancelled").size() == 1);
}

TEST_CASE("a slow reader gets what it missed in one delta when it has caught up") {
  auto r = live_room{};
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
  auto r = live_room{};
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
  auto r = live_room{};
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
  auto r = live_room{};
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
  r.tell(channel, hear{0, 1, false, false});
  late->waiting = 0;
  r.tell(channel, hear{0, 1, true, false});
  r.grow(channel, 4, 4, ", four");
  CHECK(deltas(*late) == strings{"2-2:, two", "4-4:, four"});
}

TEST_SUITE_END();
