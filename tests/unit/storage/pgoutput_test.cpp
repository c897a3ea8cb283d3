#include "storage/pgoutput.hpp"
#include "tests/fixtures/pgoutput_bytes.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace {

using namespace jessica;
using namespace jessica::test;
using storage::field_state;
using storage::pgoutput_decoder;
using storage::pgoutput_message;
using storage::row_change;
using storage::table_announced;
using storage::wal_message;

pgoutput_message must(pgoutput_decoder& decoder, std::string_view bytes) {
  auto got = decoder.decode(bytes);
  if (!got) {
    FAIL(got.error().what);
  }
  return std::move(*got);
}

// A decoder that knows the table users.
pgoutput_decoder knowing(char identity = 'd') {
  auto decoder = pgoutput_decoder{};
  REQUIRE(decoder.decode(announce_users(identity)));
  return decoder;
}

row_change change(std::string_view bytes, char identity = 'd') {
  auto decoder = knowing(identity);
  return std::get<row_change>(must(decoder, bytes));
}

// What a decoder that knows users says about bytes that it must refuse.
std::string refused(std::string_view bytes) {
  auto decoder = knowing();
  const auto got = decoder.decode(bytes);
  REQUIRE_FALSE(got);
  CHECK(got.error().code == errc::internal);
  return got.error().what;
}

message_bytes users(char kind) {
  return message_bytes{kind}.number(users_oid);
}

// A relation up to its columns.
message_bytes relation(char identity, std::int16_t columns) {
  return users('R').terminated("s").terminated("t").letter(identity).number(columns);
}

} // namespace

TEST_SUITE("storage.pgoutput") {
  TEST_CASE("a transaction's begin and commit") {
    auto decoder = pgoutput_decoder{};
    const auto begin =
        std::get<storage::transaction_begin>(must(decoder, begin_at(0x16B3748)));
    CHECK(begin.commit.str() == "0/16B3748");
    CHECK(begin.xid == 77);
    const auto end =
        std::get<storage::transaction_commit>(must(decoder, commit_at(0x16B3748)));
    CHECK(end.commit == begin.commit);
    CHECK(end.end.value == begin.commit.value + 8);
    CHECK(end.committed == begin.committed);
    using namespace std::chrono;
    CHECK(begin.committed == sys_days{2000y / January / 1} + 1s);
  }

  TEST_CASE("times that cannot be stay at the ends of time") {
    using limits = std::numeric_limits<std::int64_t>;
    CHECK(storage::from_server_time(limits::max()) == timestamp::max());
    CHECK(storage::from_server_time(limits::min()) < timestamp{});
    CHECK(storage::to_server_time(storage::from_server_time(-5)) == -5);
  }

  TEST_CASE("a table's description") {
    auto decoder = pgoutput_decoder{};
    const auto told = std::get<table_announced>(must(decoder, announce_users('i')));
    CHECK(told.table->oid == users_oid);
    CHECK(told.table->schema == "public");
    CHECK(told.table->name == "users");
    CHECK(told.table->identity == storage::replica_identity::index);
    REQUIRE(told.table->columns.size() == 3);
    CHECK(told.table->columns[0] == storage::table_column{"id", 2950, true});
    CHECK(told.table->columns[2] == storage::table_column{"note", 25, false});
    CHECK(told.table->find("note") == 2);
    CHECK_FALSE(told.table->find("Note"));
  }

  TEST_CASE("every replica identity, the short schema, a table without columns") {
    using storage::replica_identity;
    for (const auto& [letter, identity] :
         {std::pair{'d', replica_identity::primary_key},
          {'n', replica_identity::nothing},
          {'f', replica_identity::full},
          {'i', replica_identity::index}}) {
      auto decoder = pgoutput_decoder{};
      const auto bytes = message_bytes{'R'}
                             .number(std::uint32_t{9})
                             .terminated("")
                             .terminated("t")
                             .letter(letter)
                             .number(std::int16_t{0})
                             .bytes();
      const auto told = std::get<table_announced>(must(decoder, bytes));
      CHECK(told.table->identity == identity);
      CHECK(told.table->schema == "pg_catalog");
      CHECK(told.table->columns.empty());
    }
  }

  TEST_CASE("a table told again is the same one, a changed one is new") {
    auto decoder = pgoutput_decoder{};
    const auto first = std::get<table_announced>(must(decoder, announce_users()));
    const auto again = std::get<table_announced>(must(decoder, announce_users()));
    CHECK(first.table == again.table);
    const auto changed = std::get<table_announced>(must(decoder, announce_users('f')));
    CHECK(first.table != changed.table);
    const auto row = std::get<row_change>(must(decoder, insert_user({"t1", "n", "n"})));
    CHECK(row.table() == changed.table);
  }

  TEST_CASE("an insert tells texts and nulls apart, and an empty text from both") {
    const auto row = change(insert_user({"t1", "t", "n"}));
    CHECK(row.kind() == storage::change_kind::insert);
    CHECK(row.row().text("id") == "1");
    CHECK(row.row().text("name") == "");
    CHECK(row.row().at("note").state == field_state::null);
    CHECK_FALSE(row.row().text("note"));
    CHECK(row.row().at("nonsense").state == field_state::unknown);
    CHECK(row.row().at(3).state == field_state::unknown);
    CHECK(row.old_known() == storage::old_row::none);
    CHECK(row.old().at("id").state == field_state::unknown);
  }

  TEST_CASE("a text may hold any bytes") {
    const auto odd = std::string{"t\xf0\x9f\x98\x80\0\xff", 7};
    const auto row = change(insert_user({odd, "n", "n"}));
    CHECK(row.row().text("id") == std::string_view{odd}.substr(1));
  }

  TEST_CASE("an update without an old row leaves unchanged what it did not send") {
    const auto row = change(users('U').letter('N').row({"t1", "u", "tx"}).bytes());
    CHECK(row.kind() == storage::change_kind::update);
    CHECK(row.old_known() == storage::old_row::none);
    CHECK(row.row().at("name").state == field_state::unchanged);
    CHECK_FALSE(row.row().text("name"));
    CHECK(row.row().text("note") == "x");
  }

  TEST_CASE("an old key knows its columns only") {
    const auto row = change(users('U')
                                .letter('K')
                                .row({"t1", "n", "n"})
                                .letter('N')
                                .row({"t2", "u", "n"})
                                .bytes());
    CHECK(row.old_known() == storage::old_row::key);
    CHECK(row.old().text("id") == "1");
    CHECK(row.old().at("name").state == field_state::unknown);
    CHECK(row.row().text("id") == "2");
    CHECK(row.row().at("name").state == field_state::unchanged);
    CHECK(row.row().at("note").state == field_state::null);
  }

  TEST_CASE("a big key that did not change is taken from the old key") {
    const auto row = change(users('U')
                                .letter('K')
                                .row({"tlong", "n", "n"})
                                .letter('N')
                                .row({"u", "t", "n"})
                                .bytes());
    CHECK(row.row().text("id") == "long");
  }

  TEST_CASE("a full old row fills what the new one did not send") {
    const auto row = change(users('U')
                                .letter('O')
                                .row({"t1", "tAda", "n"})
                                .letter('N')
                                .row({"t1", "u", "tx"})
                                .bytes(),
                            'f');
    CHECK(row.old_known() == storage::old_row::full);
    CHECK(row.row().text("name") == "Ada");
    CHECK(row.old().text("name") == "Ada");
    CHECK(row.old().at("note").state == field_state::null);
    CHECK(row.row().text("note") == "x");
  }

  TEST_CASE("what an old row does not send is unknown in both") {
    const auto row = change(users('U')
                                .letter('O')
                                .row({"t1", "u", "n"})
                                .letter('N')
                                .row({"t1", "u", "n"})
                                .bytes());
    CHECK(row.old().at("name").state == field_state::unknown);
    CHECK(row.row().at("name").state == field_state::unchanged);
  }

  TEST_CASE("a delete tells the key or the whole row, and no new one") {
    const auto key = change(users('D').letter('K').row({"t1", "n", "n"}).bytes());
    CHECK(key.kind() == storage::change_kind::remove);
    CHECK(key.old_known() == storage::old_row::key);
    CHECK(key.old().text("id") == "1");
    CHECK(key.old().at("note").state == field_state::unknown);
    CHECK(key.row().at("id").state == field_state::unknown);
    const auto full = change(users('D').letter('O').row({"t1", "tA", "n"}).bytes());
    CHECK(full.old_known() == storage::old_row::full);
    CHECK(full.old().text("name") == "A");
    CHECK(full.old().at("note").state == field_state::null);
  }

  TEST_CASE("a change owns its bytes") {
    auto bytes = insert_user({"tkept", "n", "n"});
    const auto row = change(bytes);
    bytes.assign(bytes.size(), '?');
    const auto copy = row;
    CHECK(copy.row().text("id") == "kept");
    CHECK(row.row().text("id") == "kept");
  }

  TEST_CASE("a truncate names its tables") {
    auto decoder = knowing();
    const auto emptied =
        std::get<storage::tables_truncated>(must(decoder, message_bytes{'T'}
                                                              .number(std::int32_t{2})
                                                              .number(std::uint8_t{0})
                                                              .number(users_oid)
                                                              .number(users_oid)
                                                              .bytes()));
    REQUIRE(emptied.tables.size() == 2);
    CHECK(emptied.tables[1]->name == "users");
  }

  TEST_CASE("messages in the log, inside a transaction or not") {
    auto decoder = pgoutput_decoder{};
    const auto inside =
        std::get<wal_message>(must(decoder, emitted(true, "wake", "jobs")));
    CHECK(inside.prefix == "wake");
    CHECK(inside.content == "jobs");
    CHECK(inside.transactional);
    const auto alone = std::get<wal_message>(
        must(decoder, emitted(false, "", std::string_view{"\0\xff", 2})));
    CHECK(alone.prefix.empty());
    CHECK(alone.content == std::string_view{"\0\xff", 2});
    CHECK_FALSE(alone.transactional);
  }

  TEST_CASE("types and origins are passed over") {
    auto decoder = pgoutput_decoder{};
    CHECK(std::holds_alternative<storage::nothing_told>(must(decoder, "Ywhatever")));
    CHECK(std::holds_alternative<storage::nothing_told>(must(decoder, "O")));
  }

  TEST_CASE("every message cut anywhere is refused, and so is one byte more") {
    for (const auto& whole : one_of_each()) {
      if (whole.front() == 'Y' || whole.front() == 'O') {
        continue;
      }
      CAPTURE(whole.front());
      {
        auto decoder = knowing();
        REQUIRE(decoder.decode(whole));
      }
      for (auto size = std::size_t{0}; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(refused(std::string_view{whole}.substr(0, size)).empty());
      }
      CHECK(refused(whole + '\0').contains("too long"));
    }
  }

  TEST_CASE("a kind of message that cannot come is refused") {
    for (const auto* kind : {"S", "E", "c", "A", "b", "P", "r", "z", "\xff"}) {
      CHECK(refused(kind).contains("a message of kind"));
    }
    CHECK(refused("").contains("a message of kind"));
  }

  TEST_CASE("a table that was never announced is refused") {
    const auto unknown = std::uint32_t{5};
    const auto why = std::string{"table 5 was never announced"};
    for (const auto kind : {'I', 'U', 'D'}) {
      CHECK(refused(message_bytes{kind}.number(unknown).bytes()).contains(why));
    }
    CHECK(refused(message_bytes{'T'}
                      .number(std::int32_t{1})
                      .number(std::uint8_t{0})
                      .number(unknown)
                      .bytes())
              .contains(why));
  }

  TEST_CASE("a row that does not fit its table is refused") {
    const auto why = std::string{"for the 3 columns of public.users"};
    CHECK(refused(insert_user({"t1", "n"})).contains(why));
    CHECK(refused(insert_user({"t1", "n", "n", "n"})).contains(why));
    CHECK(refused(insert_user({})).contains(why));
    CHECK(
        refused(users('I').letter('N').number(std::int16_t{-1}).bytes()).contains(why));
    CHECK(refused(users('D').letter('K').row({"t1"}).bytes()).contains(why));
    CHECK(refused(users('U').letter('O').row({"t1"}).bytes()).contains(why));
    CHECK(refused(users('U').letter('N').row({"t1"}).bytes()).contains(why));
  }

  TEST_CASE("a field of an unknown kind is refused, binary too") {
    for (const auto* kind : {"b", "x", "N"}) {
      CHECK(refused(insert_user({"t1", kind, "n"})).contains("a field of kind"));
    }
  }

  TEST_CASE("a length that is negative or beyond the message is refused") {
    for (const auto length : {-1, std::numeric_limits<std::int32_t>::min(), 3,
                              std::numeric_limits<std::int32_t>::max()}) {
      CAPTURE(length);
      const auto field = users('I')
                             .letter('N')
                             .number(std::int16_t{3})
                             .letter('t')
                             .number(std::int32_t{length})
                             .letter('n')
                             .letter('n')
                             .bytes();
      CHECK_FALSE(refused(field).empty());
      const auto content = message_bytes{'M'}
                               .number(std::uint8_t{1})
                               .number(std::uint64_t{1})
                               .terminated("p")
                               .number(std::int32_t{length})
                               .letter('a')
                               .bytes();
      CHECK(refused(content).contains("too short"));
    }
  }

  TEST_CASE("a row of the wrong kind is refused") {
    CHECK(refused(users('I').letter('K').bytes()).contains("without a new row"));
    CHECK(refused(users('U').letter('X').bytes()).contains("without a new row"));
    CHECK(refused(users('U').letter('K').row({"t1", "n", "n"}).letter('O').bytes())
              .contains("without a new row"));
    CHECK(refused(users('D').letter('N').bytes()).contains("without an old row"));
  }

  TEST_CASE("a description that makes no sense is refused, and not remembered") {
    CHECK(refused(relation('x', 0).bytes()).contains("replica identity"));
    CHECK(refused(relation('d', -1).bytes()).contains("-1 items"));
    CHECK(refused(relation('d', 30'000).bytes()).contains("30000 items"));
    CHECK(refused(relation('d', 1).column(2, "a", 25).bytes()).contains("flags 2"));
    CHECK(refused(relation('d', 1).letter('\0').letter('a').bytes())
              .contains("too short"));
    auto decoder = pgoutput_decoder{};
    CHECK_FALSE(decoder.decode(relation('d', 1).column(2, "a", 25).bytes()));
    CHECK_FALSE(decoder.decode(insert_user({"t1"})));
  }

  TEST_CASE("counts of a truncate that make no sense are refused") {
    for (const auto count : {-1, 2'000'000'000}) {
      CHECK(refused(message_bytes{'T'}
                        .number(std::int32_t{count})
                        .number(std::uint8_t{0})
                        .number(users_oid)
                        .bytes())
                .contains("items"));
    }
  }

  TEST_CASE("flags of a log message that nobody defined are refused") {
    CHECK(refused(message_bytes{'M'}
                      .number(std::uint8_t{2})
                      .number(std::uint64_t{1})
                      .terminated("p")
                      .counted("")
                      .bytes())
              .contains("flags 2"));
  }

  TEST_CASE("tables that are remembered have a limit; known ones may still change") {
    auto decoder = pgoutput_decoder{};
    const auto announce = [&](std::size_t oid, char identity) {
      return decoder.decode(message_bytes{'R'}
                                .number(static_cast<std::uint32_t>(oid))
                                .terminated("s")
                                .terminated("t")
                                .letter(identity)
                                .number(std::int16_t{0})
                                .bytes());
    };
    for (auto oid = std::size_t{1}; oid <= pgoutput_decoder::table_limit; ++oid) {
      REQUIRE(announce(oid, 'd'));
    }
    CHECK_FALSE(announce(pgoutput_decoder::table_limit + 1, 'd'));
    CHECK(announce(1, 'f'));
  }
}
