#include "actors/stored_delivery.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <map>

TEST_SUITE_BEGIN("actors.stored_delivery");

namespace {

using namespace jessica;
using namespace jessica::actors;

struct listeners {
  stored_delivery aut;
  static constexpr auto topic = std::string_view{"realtime:club"};
  std::vector<member> members;
  std::vector<socket_number> lost;
  std::map<socket_number, std::shared_ptr<test::recorded_outbox>> outs;

  listeners() { members.reserve(8); } // what add() gives stays good

  void tell(const stored_ptr& what) { aut.tell({topic, members, &lost}, what); }

  member& add(socket_number socket) {
    auto who = member{};
    who.socket = socket;
    who.version = wire::serializer::v1;
    who.join_ref = "1";
    who.out = outs[socket] = std::make_shared<test::recorded_outbox>();
    members.push_back(std::move(who));
    return members.back();
  }

  [[nodiscard]] static stored_ptr stored(std::string event) {
    auto made = storage::stored_broadcast{};
    made.id = uuid::make();
    made.topic = "club";
    made.event = std::move(event);
    made.payload = "{}";
    return std::make_shared<const storage::stored_broadcast>(std::move(made));
  }

  /// Events as heard: "+e" from the past.
  [[nodiscard]] std::string heard(socket_number socket) {
    auto all = std::string{};
    for (const auto& message : outs[socket]->messages()) {
      const auto& payload = message.at("payload").as_object();
      const auto past = payload.at("meta").as_object().contains("replayed");
      all += (past ? "+" : "") + std::string{payload.at("event").as_string()} + ' ';
    }
    return all;
  }
};

TEST_CASE_FIXTURE(listeners, "members hear what was stored, with its id") {
  add(1);
  add(2).broadcasts = false;
  const auto one = stored("a");
  tell(one);
  CHECK(heard(1) == "a ");
  CHECK(outs[1]->messages()[0].at("payload").at("meta").at("id").as_string() ==
        one->id.str());
  CHECK(outs[2]->frames.empty());
}

TEST_CASE_FIXTURE(listeners, "members of one serializer share one frame") {
  add(1);
  add(2);
  tell(stored("a"));
  CHECK(outs[1]->frames[0] == outs[2]->frames[0]);
}

TEST_CASE_FIXTURE(listeners, "the past comes before what comes in, each once") {
  auto& late = add(1);
  const auto both = stored("both");
  const auto fresh = stored("fresh");
  aut.hold(late, both);
  aut.hold(late, fresh);
  CHECK(outs[1]->frames.empty());
  const auto old = stored("old");
  const auto ahead = stored("ahead"); // read before the log brought it
  aut.replay(topic, late, std::vector{old, both, ahead});
  CHECK(heard(1) == "+old +both +ahead fresh ");
  add(2);
  tell(ahead);
  tell(stored("next"));
  CHECK(heard(1) == "+old +both +ahead fresh next ");
  CHECK(heard(2) == "ahead next ");
}

TEST_CASE_FIXTURE(listeners, "a member that may not hear is replayed nothing") {
  auto& who = add(1);
  aut.hold(who, stored("a"));
  who.broadcasts = false; // a new token
  aut.replay(topic, who, std::vector{stored("b")});
  CHECK(outs[1]->frames.empty());
}

TEST_CASE_FIXTURE(listeners, "a sender does not hear its own, once") {
  add(1);
  add(2);
  const auto own = stored("own");
  aut.expect_own(1, own->id);
  tell(stored("other"));
  tell(own);
  CHECK(heard(1) == "other ");
  CHECK(heard(2) == "other own ");
  const auto failed = stored("failed");
  aut.expect_own(1, failed->id);
  aut.forget_own(1, failed->id);
  tell(failed);
  CHECK(heard(1) == "other failed ");
}

TEST_CASE_FIXTURE(listeners, "a member that left is forgotten") {
  auto& who = add(1);
  const auto own = stored("own");
  aut.hold(who, stored("held"));
  aut.expect_own(1, own->id);
  aut.forget(1);
  tell(own);
  aut.replay(topic, who, {});
  CHECK(heard(1) == "own ");
}

TEST_CASE_FIXTURE(listeners,
                  "too much that is held closes the socket, which comes back") {
  auto& who = add(1);
  for (auto i = 0; i < 256; ++i)
    aut.hold(who, stored("x"));
  CHECK(outs[1]->closed_code == 0);
  aut.hold(who, stored("x"));
  CHECK(outs[1]->closed_code == close_code::try_again_later);
}

} // namespace

TEST_SUITE_END();
