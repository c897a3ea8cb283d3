#include "storage/act_as.hpp"
#include "storage/broadcasts.hpp"
#include "storage/wal_visibility.hpp"
#include "tests/postgres/feed_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <latch>
#include <thread>

namespace jessica::storage {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct broadcast_world {
  connection db{database(), role::requests};
  user_id ada = add_user();
  user_id bob = add_user();
  conversation_id room = add_conversation(ada);

  broadcast_world() { admin("delete from realtime.messages"); }
  ~broadcast_world() { admin("delete from realtime.messages"); }
  broadcast_world(const broadcast_world&) = delete;
  broadcast_world& operator=(const broadcast_world&) = delete;

  [[nodiscard]] std::string topic() const { return "conversation:" + room.str(); }

  [[nodiscard]] new_broadcast fresh(std::string event,
                                    std::string payload = "{}") const {
    return {.id = uuid::make(),
            .topic = topic(),
            .event = std::move(event),
            .json = true,
            .payload = std::move(payload),
            .ttl = {}};
  }

  [[nodiscard]] std::string events(std::size_t most = 25,
                                   std::chrono::milliseconds since = 0ms) {
    const auto found = stored_on(db, topic(), since, most);
    if (!found)
      return found.error().what;
    auto all = std::string{};
    for (const auto& one : *found)
      all += one.event + ' ';
    return all;
  }

  void send(std::string event) const {
    admin("select realtime.send('{}', $1, $2)", {std::move(event), topic()});
  }

  /// `sql` stores an event of a name. "first" is stored in a transaction that ends
  /// after that of "second".
  void stored_first_and_committed_last(const std::string& sql) const {
    auto slow = connection{database(), role::migrations};
    auto begun = std::latch{1};
    auto together = std::jthread{[&] {
      begun.count_down();
      const auto waits = statement{
          "do $$ begin while not exists (select from realtime.messages where event = "
          "'second') loop perform pg_sleep(0.005); end loop; end $$",
          {}};
      CHECK(slow.run(std::array{statement{sql, {"first", topic()}}, waits}));
    }};
    begun.wait();
    // The first one holds its row when it waits.
    REQUIRE(becomes_true("select exists (select from pg_stat_activity where state = "
                         "'active' and query like 'do $$ begin while not%' and pid <> "
                         "pg_backend_pid())"));
    admin(sql, {"second", topic()});
  }

  /// How a client role fares with a statement: "ok" or the SQLSTATE.
  [[nodiscard]] std::string as(const identity& who, std::string sql) {
    const auto ran = db.run(
        std::array{act_as(who, access::read_write), statement{std::move(sql), {}}});
    return ran ? "ok" : ran.error().sql ? ran.error().sql->sqlstate : ran.error().what;
  }
};

[[nodiscard]] std::int64_t stored_rows() {
  return number_of("select count(*) from realtime.messages");
}

/// The broadcasts of a stream before a fence that is written now.
[[nodiscard]] std::vector<stored_broadcast> read_broadcasts(wal_stream& stream) {
  auto all = std::vector<stored_broadcast>{};
  for (const auto& piece : read_all(stream))
    for (const auto& event : piece.events)
      if (const auto* change = std::get_if<row_change>(&event))
        if (auto one = broadcast_of(*change))
          all.push_back(std::move(*one));
  return all;
}

} // namespace

TEST_SUITE("storage.broadcasts") {
  TEST_CASE_FIXTURE(broadcast_world, "a broadcast is stored as its sender") {
    REQUIRE(store_broadcast(db, signed_in(ada), fresh("a", R"({"n":1})")));
    auto bytes = fresh("b", std::string{"\x00\xff\x01", 3});
    bytes.json = false;
    REQUIRE(store_broadcast(db, signed_in(ada), bytes));
    const auto found = stored_on(db, topic(), 0ms, 25);
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK(found->at(0).payload == R"({"n": 1})");
    CHECK(found->at(0).is_private);
    CHECK(found->at(0).xid != 0);
    CHECK_FALSE(found->at(1).json);
    CHECK(found->at(1).payload == bytes.payload);
    CHECK(found->at(1).id == bytes.id);
    CHECK(std::chrono::abs(found->at(1).inserted - std::chrono::system_clock::now()) <
          1min);
  }

  TEST_CASE_FIXTURE(broadcast_world, "the policies decide who stores") {
    for (const auto& who : {signed_in(bob), identity{}}) {
      const auto stored = store_broadcast(db, who, fresh("a"));
      REQUIRE_FALSE(stored);
      CHECK(stored.error().code == errc::forbidden);
    }
    CHECK(store_broadcast(db, service(), fresh("a")));
    CHECK(stored_rows() == 1);
  }

  TEST_CASE_FIXTURE(broadcast_world, "what jsonb does not take is the input's fault") {
    const auto stored =
        store_broadcast(db, signed_in(ada), fresh("a", R"({"a":"\u0000"})"));
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == errc::invalid_input);
    CHECK(stored_rows() == 0);
  }

  TEST_CASE_FIXTURE(broadcast_world, "the newest are read, the oldest of them first") {
    for (const auto* event : {"1", "2", "3", "4"})
      send(event);
    CHECK(events() == "1 2 3 4 ");
    CHECK(events(2) == "3 4 ");
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
        (std::chrono::system_clock::now() + 1h).time_since_epoch());
    CHECK(events(25, since) == "");
    CHECK(events(25, std::chrono::milliseconds{8'640'000'000'000'000}) == "");
  }

  TEST_CASE_FIXTURE(broadcast_world, "within a transaction they keep their order") {
    auto sql = std::string{};
    for (auto n = 0; n < 20; ++n)
      sql +=
          "select realtime.send('{}', '" + std::to_string(n) + "', '" + topic() + "');";
    prepare(database(), sql);
    CHECK(events(3) == "17 18 19 ");
  }

  TEST_CASE_FIXTURE(broadcast_world,
                    "commits give the order, not when a transaction began") {
    stored_first_and_committed_last("select realtime.send('{}', $1, $2)");
    CHECK(events() == "second first ");
  }

  TEST_CASE_FIXTURE(broadcast_world,
                    "of one moment's the last that were committed are the newest") {
    const auto* const sql =
        "insert into realtime.messages (topic, extension, event, inserted_at) "
        "values ($2, 'broadcast', $1, '2001-01-01')";
    stored_first_and_committed_last(sql);
    CHECK(events(1) == "first ");
    admin(sql, {"third", topic()});
    CHECK(events(2) == "first third ");
  }

  TEST_CASE_FIXTURE(broadcast_world,
                    "what has expired, is public, or is no broadcast is not read") {
    for (const auto* event : {"gone", "stays"})
      send(event);
    admin("update realtime.messages set expires_at = now() - interval '1 s' where "
          "event = 'gone'");
    admin("select realtime.send('{}', 'open', $1, false)", {topic()});
    admin("insert into realtime.messages (topic, extension, event) values ($1, "
          "'presence', 'x'), ($1, 'broadcast', null)",
          {topic()});
    CHECK(events() == "stays ");
  }

  TEST_CASE_FIXTURE(broadcast_world,
                    "the log brings what is committed, of any partition") {
    auto stream = must_start();
    send("sent");
    prepare(database(), "begin; select realtime.send('{}', 'undone', 't'); rollback");
    admin("insert into realtime.messages (topic, extension, event, private, "
          "binary_payload, inserted_at) values ('open', 'broadcast', 'plain', false, "
          "'\\x00ff', '2001-02-03 04:05:06.007')");
    admin("update realtime.messages set event = 'changed'");
    admin("insert into realtime.messages (topic, extension, event) values ('t', "
          "'presence', 'x')");
    const auto all = read_broadcasts(stream);
    REQUIRE(all.size() == 2);
    CHECK(all[0].topic == topic());
    CHECK(all[0].event == "sent");
    CHECK(all[0].is_private);
    CHECK(all[0].payload.contains(all[0].id.str()));
    CHECK(all[1].topic == "open");
    CHECK_FALSE(all[1].is_private);
    CHECK_FALSE(all[1].json);
    CHECK(all[1].payload == std::string{"\x00\xff", 2});
    using namespace std::chrono;
    CHECK(all[1].inserted == timestamp{sys_days{2001y / 2 / 3}} + 4h + 5min + 6s + 7ms);
  }

  TEST_CASE_FIXTURE(broadcast_world, "probes of rights bring nothing") {
    auto stream = must_start();
    REQUIRE(db.run({"select * from jessica.topic_rights('authenticated', $1, $2)",
                    {signed_in(ada).claims, topic()}}));
    CHECK(read_broadcasts(stream).empty());
  }

  TEST_CASE_FIXTURE(broadcast_world,
                    "a snapshot shows what the stream does not bring") {
    auto engine = connection{database(), role::engine};
    const auto before =
        std::chrono::floor<timestamp::duration>(std::chrono::system_clock::now()) -
        1min;
    send("old");
    admin("update realtime.messages set inserted_at = inserted_at - interval '1 hour'");
    send("a");
    send("known");
    admin("select realtime.send($1::jsonb, 'big', $2)",
          {'"' + std::string(99, 'x') + '"', topic()});
    send("b");
    auto stream = must_open();
    send("c");
    const auto known =
        *uuid::parse(text_of("select id from realtime.messages where event = 'known'"));
    const auto found = missed_broadcasts(
        engine, stream.snapshot(),
        {.since = before, .known = {known}, .max_bytes = 100, .most = 25});
    REQUIRE(found);
    REQUIRE(found->size() == 2);
    CHECK(found->at(0).event == "a");
    CHECK(found->at(1).event == "b");
    REQUIRE(stream.start());
    const auto brought = read_broadcasts(stream);
    REQUIRE(brought.size() == 1);
    CHECK(brought[0].event == "c");
  }

  TEST_CASE_FIXTURE(broadcast_world, "several transactions are waited for together") {
    const auto done = static_cast<std::uint32_t>(
        number_of("select pg_current_xact_id()::text::bigint"));
    CHECK(wait_until_visible(db, std::array{done, done}, 1s));
    CHECK(wait_until_visible(db, std::span<const std::uint32_t>{}, 0s));
  }

  TEST_CASE_FIXTURE(broadcast_world, "client roles send by the policies alone") {
    const auto sends = [&](const identity& who, const std::string& to) {
      CHECK(as(who, "select realtime.send('{}', 'e', '" + to + "')") == "ok");
      return stored_rows();
    };
    CHECK(sends(identity{}, topic()) == 0); // a warning
    CHECK(sends(signed_in(bob), topic()) == 0);
    CHECK(sends(signed_in(ada), "elsewhere") == 0);
    CHECK(sends(signed_in(ada), topic()) == 1);
  }

  TEST_CASE_FIXTURE(broadcast_world, "nobody reads or tends the table by our tools") {
    for (const auto& who : {identity{}, signed_in(ada)}) {
      CHECK(as(who, "select * from jessica.broadcasts") == "42501");
      CHECK(as(who, "select jessica.sweep_broadcasts()") == "42501");
      CHECK(as(who, "delete from realtime.messages") == "42501");
      CHECK(as(who, "update realtime.messages set event = 'x'") == "42501");
      CHECK(as(who, "select * from realtime.messages_default") == "42501");
    }
  }

  TEST_CASE_FIXTURE(broadcast_world,
                    "mistakes are warnings, and the topic is put back") {
    prepare(database(), R"(
      begin;
      set local realtime.topic = 'before';
      select realtime.send('{}', '', 't'), realtime.send('{}', 'e', null),
        realtime.send('{}', 'e', repeat('x', 300)), realtime.send_binary('', 'e', ''),
        realtime.broadcast_changes('t', 'e', 'TRUNCATE', 't', 's', null, null),
        realtime.broadcast_changes('t', 'e', 'INSERT', 't', 's', null, null, 'STATEMENT');
      select realtime.send('{}', 'good', 't');
      do $$ begin assert realtime.topic() = 'before'; end $$;
      commit;)");
    CHECK(text_of("select string_agg(event, ',') from realtime.messages") == "good");
  }

  TEST_CASE_FIXTURE(broadcast_world, "an id is added to objects that have none") {
    admin("select realtime.send($1::jsonb, 'a', 't')", {R"({"x":1})"});
    admin("select realtime.send($1::jsonb, 'b', 't')", {R"({"id":7})"});
    admin("select realtime.send($1::jsonb, 'c', 't')", {"[1]"});
    CHECK(
        text_of("select bool_and(case event when 'a' then payload ->> 'id' = id::text "
                "and payload ->> 'x' = '1' when 'b' then payload = '{\"id\":7}' else "
                "payload = '[1]' end) from realtime.messages") == "t");
  }

  TEST_CASE_FIXTURE(broadcast_world, "a sweep makes the coming days' partitions") {
    auto engine = connection{database(), role::engine};
    admin("drop table realtime.messages_" +
          text_of("select to_char(now() at time zone 'utc' + interval '2 days', "
                  "'YYYY_MM_DD')"));
    REQUIRE(sweep_broadcasts(engine));
    CHECK(
        number_of("select count(*) from generate_series(0, 3) d where to_regclass("
                  "'realtime.messages_' || to_char((now() at time zone 'utc')::date + "
                  "d::int, 'YYYY_MM_DD')) is not null") == 4);
    CHECK(text_of("select bool_and(relrowsecurity) from pg_class join pg_inherits on "
                  "inhrelid = oid where inhparent = 'realtime.messages'::regclass") ==
          "t");
  }

  TEST_CASE_FIXTURE(broadcast_world, "a sweep drops days, rows and what has expired") {
    auto engine = connection{database(), role::engine};
    const auto part = [](int days_ago) {
      return text_of("select 'messages_' || to_char((now() at time zone 'utc')::date - "
                     "$1::int, 'YYYY_MM_DD')",
                     {std::to_string(days_ago)});
    };
    for (const auto days : {3, 4, 9}) {
      const auto name = part(days);
      admin("create table realtime." + name +
            " partition of realtime.messages for values from ((now() at time zone "
            "'utc')::date - " +
            std::to_string(days) + ") to ((now() at time zone 'utc')::date - " +
            std::to_string(days - 1) + ")");
    }
    admin("insert into realtime.messages (topic, extension, event, inserted_at) values "
          "('t', 'broadcast', 'ancient', '2001-01-01')");
    send("stays");
    send("expired");
    admin("update realtime.messages set expires_at = now() - interval '1 s' where "
          "event = 'expired'");
    const auto swept = sweep_broadcasts(engine);
    REQUIRE(swept);
    CHECK(*swept == 1);
    CHECK(text_of("select string_agg(event, ',') from realtime.messages") == "stays");
    const auto there = [&](int days) {
      return text_of("select to_regclass('realtime." + part(days) + "') is not null");
    };
    CHECK(there(3) == "t");
    CHECK(there(4) == "f");
    CHECK(there(9) == "f");
    admin("drop table realtime." + part(3));
  }
}

} // namespace jessica::storage
