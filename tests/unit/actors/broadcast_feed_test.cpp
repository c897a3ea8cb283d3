#include "actors/broadcast_feed.hpp"

#include <doctest/doctest.h>

#include <array>

TEST_SUITE_BEGIN("actors.broadcast_feed");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

const auto start = timestamp{std::chrono::sys_days{2026y / 11 / 22}};

[[nodiscard]] storage::stored_broadcast read_back(uuid id, timestamp inserted,
                                                  std::string payload = "{}") {
  auto made = storage::stored_broadcast{};
  made.id = id;
  made.topic = "club";
  made.event = "e";
  made.payload = std::move(payload);
  made.inserted = inserted;
  return made;
}

/// An inserted row as the log brings it, on `start`'s day.
[[nodiscard]] storage::row_change row_of(uuid id, std::string_view time,
                                         std::string_view payload = "{}") {
  auto shape = storage::table_shape{};
  shape.schema = "realtime";
  shape.name = "messages";
  for (const auto* column :
       {"id", "topic", "extension", "event", "payload", "private", "inserted_at"})
    shape.columns.push_back({column, 0, false});
  const auto key = id.str();
  const auto moment = "2026-11-22 " + std::string{time};
  using state = storage::field_state;
  const auto fields = std::array{
      storage::field{state::text, key},         storage::field{state::text, "club"},
      storage::field{state::text, "broadcast"}, storage::field{state::text, "e"},
      storage::field{state::text, payload},     storage::field{state::text, "t"},
      storage::field{state::text, moment}};
  return {storage::change_kind::insert,
          std::make_shared<const storage::table_shape>(std::move(shape)), fields};
}

TEST_CASE("what the stream brought is told, with its transaction") {
  auto aut = broadcast_feed{start, 100};
  const auto id = uuid::make();
  const auto told = aut.take(row_of(id, "10:00:00.5"), 7);
  REQUIRE(told);
  CHECK(told->id == id);
  CHECK(told->xid == 7);
  CHECK(told->inserted == start + 10h + 500ms);
}

TEST_CASE("a stream that is opened anew tells what none brought, once") {
  auto aut = broadcast_feed{start, 100};
  const auto before = uuid::make();
  const auto between = uuid::make();
  REQUIRE(aut.take(row_of(before, "10:00:00"), 1));
  const auto wish = aut.missed(7);
  CHECK(wish.known == std::vector{before});
  CHECK(wish.max_bytes == 100);
  CHECK(wish.most == 7);
  const auto missed = aut.take_missed(
      {read_back(before, start + 10h), read_back(between, start + 11h)});
  REQUIRE(missed.size() == 1);
  CHECK(missed[0]->id == between);
  CHECK(aut.take_missed({read_back(between, start + 11h)}).empty());
}

TEST_CASE("what no socket would take is told to nobody") {
  auto aut = broadcast_feed{start, 10};
  CHECK(aut.take(row_of(uuid::make(), "10:00:00", R"("0123456789")"), 1) == nullptr);
  CHECK(aut.take(row_of(uuid::make(), "10:00:00", R"("01234567")"), 1) != nullptr);
  CHECK(aut.take_missed({read_back(uuid::make(), start, "01234567890")}).empty());
}

TEST_CASE("nothing from before the start is looked for") {
  auto aut = broadcast_feed{start, 100};
  CHECK(aut.missed(1).since == start);
}

TEST_CASE("one looks back ten minutes from where the stream was read to its end") {
  auto aut = broadcast_feed{start, 100};
  aut.read_to_end(start + 5min);
  CHECK(aut.missed(1).since == start);
  aut.read_to_end(start + 1h);
  CHECK(aut.missed(1).since == start + 50min);
}

TEST_CASE("one never looks back past what is remembered") {
  constexpr auto remembered = 4096;
  auto aut = broadcast_feed{start, 100};
  CHECK(aut.take(row_of(uuid::make(), "03:00:00"), 1));
  for (auto i = 0; i < remembered - 1; ++i)
    CHECK(aut.take(row_of(uuid::make(), "02:00:00"), 1));
  CHECK(aut.missed(1).since == start);
  CHECK(aut.take(row_of(uuid::make(), "02:00:00"), 1));
  CHECK(aut.missed(1).since == start + 3h);
}

} // namespace

TEST_SUITE_END();
