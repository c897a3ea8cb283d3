#include "actors/room.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

TEST_SUITE_BEGIN("actors.room");

namespace {

using namespace jessica;
using namespace jessica::actors;

/// A newcomer who asked for the past, which is still being read.
struct arrival {
  room club{topic_view{"club", true}};
  std::shared_ptr<test::recorded_outbox> out =
      std::make_shared<test::recorded_outbox>();

  arrival() { admit("1"); }

  void admit(std::string join_ref) {
    auto who = newcomer{};
    who.member.socket = 7;
    who.member.version = wire::serializer::v1;
    who.member.out = out;
    who.member.join_ref = join_ref;
    who.ref = std::move(join_ref);
    who.join_response = "{}";
    who.replayed = true;
    club.admit(std::move(who));
  }

  void replay(std::string join_ref, std::vector<stored_ptr> past) {
    club.replay({0, 7, std::move(join_ref), std::move(past)});
  }

  [[nodiscard]] static stored_ptr stored(std::string event) {
    auto made = storage::stored_broadcast{};
    made.id = uuid::make();
    made.topic = "club";
    made.event = std::move(event);
    made.payload = "{}";
    return std::make_shared<const storage::stored_broadcast>(std::move(made));
  }

  /// Events, those of broadcasts by their own names.
  [[nodiscard]] std::string heard() const {
    auto all = std::string{};
    for (const auto& message : out->messages()) {
      const auto& event = message.at("event").as_string();
      all += std::string{event == "broadcast"
                             ? message.at("payload").at("event").as_string()
                             : event} +
             ' ';
    }
    return all;
  }
};

TEST_CASE_FIXTURE(arrival, "a join with a past is answered when the past is there") {
  club.tell({"live", true, "{}"}, 0);
  club.tell_stored(stored("meanwhile"));
  CHECK(out->frames.empty());
  CHECK(club.members().empty());
  CHECK_FALSE(club.unused());
  replay("1", {stored("past")});
  club.tell_stored(stored("later"));
  CHECK(heard() == "phx_reply past meanwhile later ");
  CHECK(club.arriving().empty());
}

TEST_CASE_FIXTURE(arrival, "the past of another join, or a second one, is ignored") {
  replay("0", {stored("earlier")});
  CHECK(out->frames.empty());
  replay("1", {stored("a")});
  replay("1", {stored("b")});
  CHECK(heard() == "phx_reply a ");
}

TEST_CASE_FIXTURE(arrival, "a newer join of the socket replaces the one that waits") {
  club.tell_stored(stored("for the older"));
  admit("2");
  CHECK(club.arriving().size() == 1);
  replay("1", {stored("a")});
  CHECK(out->frames.empty());
  replay("2", {stored("b")});
  CHECK(heard() == "phx_reply b ");
}

TEST_CASE_FIXTURE(arrival, "a new token may take the past away") {
  club.change_hearing({0, 7, false, false});
  replay("1", {stored("a")});
  CHECK(heard() == "phx_reply ");
}

TEST_CASE_FIXTURE(arrival,
                  "whoever leaves before its past came leaves the room unused") {
  club.leave(7);
  CHECK(club.unused());
  replay("1", {stored("a")});
  CHECK(out->frames.empty());
}

} // namespace

TEST_SUITE_END();
