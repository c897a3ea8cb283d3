#include "storage/policy.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace jessica::storage {
namespace {

using namespace test;

struct policy_world {
  connection db{database(), role::requests};
  user_id ada = add_user();
  user_id bob = add_user();
  conversation_id room = add_conversation(ada);

  [[nodiscard]] std::string topic() const { return "conversation:" + room.str(); }
  /// Of broadcasts: "r", "w", both or neither.
  [[nodiscard]] std::string rights(const identity& who, std::string_view name) {
    return letters(who, name, &topic_rights::read, &topic_rights::write);
  }
  [[nodiscard]] std::string presence_rights(const identity& who,
                                            std::string_view name) {
    return letters(who, name, &topic_rights::presence_read,
                   &topic_rights::presence_write);
  }

private:
  [[nodiscard]] std::string letters(const identity& who, std::string_view name,
                                    bool topic_rights::* read,
                                    bool topic_rights::* write) {
    const auto found = topic_rights_of(db, who, name);
    if (!found)
      return found.error().what;
    return std::string{*found.*read ? "r" : ""} + (*found.*write ? "w" : "");
  }
};

/// A policy that lives as long as this.
struct temporary_policy {
  std::string name;
  temporary_policy(std::string called, const std::string& rest)
      : name{std::move(called)} {
    prepare(database(), "create policy " + name + " on realtime.messages " + rest);
  }
  ~temporary_policy() {
    prepare(database(), "drop policy " + name + " on realtime.messages");
  }
  temporary_policy(const temporary_policy&) = delete;
  temporary_policy& operator=(const temporary_policy&) = delete;
};

} // namespace

TEST_SUITE("storage.policy") {
  TEST_CASE_FIXTURE(policy_world, "a conversation's owner reads and writes its topic") {
    CHECK(rights(signed_in(ada), topic()) == "rw");
    CHECK(presence_rights(signed_in(ada), topic()) == "rw");
  }

  TEST_CASE_FIXTURE(policy_world, "nobody else does") {
    CHECK(rights(signed_in(bob), topic()) == "");
    CHECK(presence_rights(signed_in(bob), topic()) == "");
    CHECK(rights(signed_in(user_id::make()), topic()) == "");
    CHECK(rights(identity{}, topic()) == "");
    auto no_claims = signed_in(ada);
    no_claims.claims = "{}";
    CHECK(rights(no_claims, topic()) == "");
  }

  TEST_CASE_FIXTURE(policy_world, "a topic that no policy names is closed") {
    for (const auto* name : {"", "lobby", "conversation:", "conversation:%",
                             "x' or true --", "conversation:\"; drop table x"})
      CHECK(rights(signed_in(ada), name) == "");
    CHECK(rights(signed_in(ada), topic() + " ") == "");
    CHECK(rights(signed_in(ada), "conversation:" + conversation_id::make().str()) ==
          "");
  }

  TEST_CASE_FIXTURE(policy_world, "the service role passes by row security") {
    CHECK(rights(service(), "lobby") == "rw");
    CHECK(presence_rights(service(), "lobby") == "rw");
  }

  TEST_CASE_FIXTURE(policy_world, "reading and writing are granted apart") {
    const auto reads = temporary_policy{
        "t_read", "for select to anon, authenticated using (topic = 'news' and "
                  "(select realtime.topic()) = 'news' and extension = 'broadcast')"};
    const auto writes = temporary_policy{
        "t_write", "for insert to authenticated with check (topic = 'inbox')"};
    CHECK(rights(signed_in(bob), "news") == "r");
    CHECK(rights(identity{}, "news") == "r");
    CHECK(rights(signed_in(bob), "inbox") == "w");
    CHECK(rights(identity{}, "inbox") == "");
    CHECK(rights(signed_in(bob), topic()) == "");
  }

  TEST_CASE_FIXTURE(policy_world, "broadcasts and presence are granted apart") {
    const auto reads = temporary_policy{
        "t_presence", "for select to authenticated using (extension = 'presence')"};
    CHECK(rights(signed_in(bob), "lobby") == "");
    CHECK(presence_rights(signed_in(bob), "lobby") == "r");
    const auto writes = temporary_policy{
        "t_presence_write", "for insert to authenticated with check (extension = "
                            "'presence' and topic = 'lobby')"};
    CHECK(rights(signed_in(bob), "lobby") == "");
    CHECK(presence_rights(signed_in(bob), "lobby") == "rw");
    CHECK(presence_rights(signed_in(bob), "hall") == "r");
    CHECK(presence_rights(identity{}, "lobby") == "");
    const auto broadcasts = temporary_policy{
        "t_broadcast", "for all to anon using (extension = 'broadcast')"};
    CHECK(rights(identity{}, "lobby") == "rw");
    CHECK(presence_rights(identity{}, "lobby") == "");
  }

  TEST_CASE_FIXTURE(policy_world,
                    "an answer holds only as long as the rows it came from") {
    CHECK(rights(signed_in(ada), topic()) == "rw");
    admin("delete from public.conversations where id = $1", {room.str()});
    CHECK(rights(signed_in(ada), topic()) == "");
  }

  TEST_CASE_FIXTURE(policy_world, "a policy that fails is an error, not a right") {
    const auto policy = temporary_policy{
        "t_cast",
        "for select to authenticated using ((select realtime.topic())::uuid = "
        "auth.uid())"};
    const auto found = topic_rights_of(db, signed_in(bob), "not a uuid");
    REQUIRE_FALSE(found);
    CHECK(found.error().code == errc::invalid_input);
    CHECK(rights(signed_in(bob), bob.str()) == "r");
  }

  TEST_CASE_FIXTURE(policy_world, "a probe leaves nothing behind, not even its role") {
    const auto probe =
        statement{"select reads, writes from jessica.topic_rights($1, $2, $3)",
                  {"authenticated", signed_in(ada).claims, topic()}};
    const auto after =
        statement{"select current_user, coalesce(current_setting('request.jwt.claims', "
                  "true), ''), "
                  "coalesce(current_setting('realtime.topic', true), ''), "
                  "current_setting('synchronous_commit')",
                  {}};
    const auto run = db.run(std::array{probe, after});
    REQUIRE(run);
    CHECK(run->at(0).text(0, 0) == "t");
    CHECK(run->at(1).text(0, 0) == role::requests);
    CHECK(run->at(1).text(0, 1) == "");
    CHECK(run->at(1).text(0, 2) == "");
    CHECK(run->at(1).text(0, 3) == "off"); // no wait for the disk, in this one only
    CHECK(db.run({"show synchronous_commit", {}})->text(0, 0) == "on");
    CHECK(number_of("select count(*) from realtime.messages") == 0);
  }

  TEST_CASE_FIXTURE(policy_world, "a zero byte in a topic is refused") {
    CHECK_FALSE(topic_rights_of(db, signed_in(ada), std::string_view{"a\0b", 3}));
  }
}

} // namespace jessica::storage
