#include "storage/topic_judge.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace jessica::storage {
namespace {

using namespace test;

struct policy_world {
  connection db{database(), role::requests};
  topic_judge judge;
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

  [[nodiscard]] result<topic_rights> judged(const identity& who,
                                            std::string_view name) {
    const auto asked = topic_question{&who, name};
    return std::move(judge.rights_of(db, {&asked, 1}).front());
  }

private:
  /// The judge's, which must be those of row security itself.
  [[nodiscard]] std::string letters(const identity& who, std::string_view name,
                                    bool topic_rights::* read,
                                    bool topic_rights::* write) {
    const auto asked = topic_rights_of(db, who, name);
    const auto said = said_of(judged(who, name), read, write);
    CHECK(said == said_of(asked, read, write));
    return said;
  }
  [[nodiscard]] static std::string said_of(const result<topic_rights>& found,
                                           bool topic_rights::* read,
                                           bool topic_rights::* write) {
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

  TEST_CASE_FIXTURE(policy_world, "a policy may look at the row as a whole") {
    prepare(database(), "create function public.t_shown(m realtime.messages) returns "
                        "boolean language sql as $$select m.extension = 'presence'$$");
    {
      const auto policy = temporary_policy{
          "t_whole", "for select to authenticated using (public.t_shown(messages))"};
      CHECK(rights(signed_in(bob), "lobby") == "");
      CHECK(presence_rights(signed_in(bob), "lobby") == "r");
      const auto both = temporary_policy{
          "t_both", "for all to authenticated using ((to_jsonb(messages.*) ->> "
                    "('exten' || 'sion')) = 'broadcast')"};
      CHECK(rights(signed_in(bob), "lobby") == "rw");
      CHECK(presence_rights(signed_in(bob), "lobby") == "r");
    }
    prepare(database(), "drop function public.t_shown");
  }

  TEST_CASE_FIXTURE(policy_world, "restrictive policies take rights away") {
    const auto all = temporary_policy{
        "t_all", "for all to authenticated using (topic like 'open%')"};
    CHECK(rights(signed_in(bob), "open air") == "rw");
    const auto fewer = temporary_policy{
        "t_fewer",
        "as restrictive for select to authenticated using (topic <> 'open air')"};
    CHECK(rights(signed_in(bob), "open air") == "w");
    CHECK(rights(signed_in(bob), "open door") == "rw");
    CHECK(presence_rights(signed_in(bob), "open air") == "w");
    const auto of_others =
        temporary_policy{"t_others", "as restrictive for all to anon using (false)"};
    CHECK(rights(signed_in(bob), "open door") == "rw");
  }

  TEST_CASE_FIXTURE(policy_world,
                    "policies may look at every column and at other tables") {
    const auto columns = temporary_policy{
        "t_columns", "for select to authenticated using (topic = 'columns' and private "
                     "and payload is null and event is null and id is not null and "
                     "inserted_at > '2020-01-01' and updated_at is not null)"};
    CHECK(rights(signed_in(bob), "columns") == "r");
    const auto rooms = temporary_policy{
        "t_rooms", "for select to authenticated using (exists (select from "
                   "public.conversations c where 'room:' || c.id = messages.topic and "
                   "c.user_id = auth.uid()))"};
    CHECK(rights(signed_in(ada), "room:" + room.str()) == "r");
    CHECK(rights(signed_in(bob), "room:" + room.str()) == "");
  }

  TEST_CASE_FIXTURE(policy_world, "a policy counts from its commit on, and no longer") {
    for (auto i = 0; i < 3; ++i) {
      CHECK(rights(signed_in(bob), "news") == "");
      const auto policy = temporary_policy{
          "t_news", "for select to authenticated using (topic = 'news')"};
      CHECK(rights(signed_in(bob), "news") == "r");
      prepare(database(),
              "alter policy t_news on realtime.messages using (topic = 'old news')");
      CHECK(rights(signed_in(bob), "news") == "");
      CHECK(rights(signed_in(bob), "old news") == "r");
      prepare(database(), "alter policy t_news on realtime.messages to anon");
      CHECK(rights(signed_in(bob), "old news") == "");
      CHECK(rights(identity{}, "old news") == "r");
    }
  }

  TEST_CASE_FIXTURE(policy_world, "grants and row security itself are looked at, too") {
    const auto policy =
        temporary_policy{"t_news", "for all to authenticated using (topic = 'news')"};
    prepare(database(), "revoke insert on realtime.messages from authenticated");
    CHECK(rights(signed_in(bob), "news") == "r");
    prepare(database(), "revoke select on realtime.messages from authenticated");
    CHECK(rights(signed_in(bob), "news") == "");
    prepare(database(), "grant select, insert on realtime.messages to authenticated");
    CHECK(rights(signed_in(bob), "news") == "rw");
    CHECK(rights(signed_in(bob), "olds") == "");
    prepare(database(), "alter table realtime.messages disable row level security");
    CHECK(rights(signed_in(bob), "olds") == "rw");
    prepare(database(), "alter table realtime.messages enable row level security");
    CHECK(rights(signed_in(bob), "olds") == "");
  }

  TEST_CASE_FIXTURE(policy_world,
                    "a policy that may not read a table costs its right") {
    prepare(database(), "create table public.t_hidden (topic text)");
    prepare(database(), "revoke all on public.t_hidden from authenticated");
    {
      const auto reads = temporary_policy{
          "t_hidden", "for select to authenticated using (exists (select from "
                      "public.t_hidden h where h.topic = messages.topic))"};
      const auto writes = temporary_policy{
          "t_write", "for insert to authenticated with check (topic = 'inbox')"};
      CHECK(rights(signed_in(bob), "inbox") == "w");
    }
    prepare(database(), "drop table public.t_hidden");
    CHECK(rights(signed_in(ada), topic()) == "rw");
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
    const auto found = judged(signed_in(bob), "not a uuid");
    REQUIRE_FALSE(found);
    CHECK(found.error().code == errc::invalid_input);
    CHECK_FALSE(topic_rights_of(db, signed_in(bob), "not a uuid"));
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
    CHECK_FALSE(judged(signed_in(ada), std::string_view{"a\0b", 3}));
  }

  TEST_CASE_FIXTURE(policy_world, "many are judged together, each for itself") {
    const auto policy = temporary_policy{
        "t_cast",
        "for select to authenticated using ((select realtime.topic())::uuid = "
        "auth.uid())"};
    const auto owner = signed_in(ada);
    const auto other = signed_in(bob);
    const auto nobody = identity{};
    const auto all = service();
    const auto own_name = bob.str();
    const auto her_name = ada.str();
    const auto asked = std::array{
        topic_question{&nobody, own_name},    topic_question{&other, own_name},
        topic_question{&all, "lobby"},        topic_question{&other, her_name},
        topic_question{&owner, "not a uuid"}, topic_question{&all, "x"}};
    const auto rights = judge.rights_of(db, asked);
    REQUIRE(rights.size() == asked.size());
    for (auto i = std::size_t{0}; i < asked.size(); ++i) {
      const auto alone = topic_rights_of(db, *asked[i].who, asked[i].topic);
      REQUIRE(rights[i].has_value() == alone.has_value());
      if (alone)
        CHECK(rights[i]->read == alone->read);
    }
    CHECK(rights[1]->read);
    CHECK_FALSE(rights[4]);
    const auto zero = std::array{topic_question{&all, std::string_view{"a\0b", 3}},
                                 topic_question{&all, "lobby"}};
    const auto mixed = judge.rights_of(db, zero);
    CHECK_FALSE(mixed[0]);
    CHECK(mixed[1]->read);
  }

  TEST_CASE_FIXTURE(policy_world, "judging writes nothing into the log") {
    CHECK(rights(signed_in(ada), topic()) == "rw");
    const auto before = number_of("select pg_current_wal_insert_lsn() - '0/0'");
    for (auto i = 0; i < 10; ++i)
      CHECK(judged(signed_in(ada), topic()));
    CHECK(number_of("select pg_current_wal_insert_lsn() - '0/0'") - before < 1000);
  }
}

} // namespace jessica::storage
