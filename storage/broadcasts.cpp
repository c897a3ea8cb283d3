#include "storage/broadcasts.hpp"

#include "storage/act_as.hpp"
#include "storage/wal_snapshot.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace jessica::storage {
namespace {

// What policies ask realtime.topic() about; before the role changes.
constexpr auto set_topic =
    std::string_view{"select set_config('realtime.topic', $1, true)"};

// The column for the end is named only where there is one: a hosted project may lack
// it.
constexpr auto insert_lasting = std::string_view{R"(
  insert into realtime.messages
    (id, topic, extension, event, private, payload, binary_payload)
  values ($1, $2, 'broadcast', $3, true, $4, $5))"};
constexpr auto insert_passing = std::string_view{R"(
  insert into realtime.messages
    (id, topic, extension, event, private, payload, binary_payload, expires_at)
  values ($1, $2, 'broadcast', $3, true, $4, $5, now() + $6::bigint * interval '1 s'))"};

// Where PostgreSQL does not keep the times of commits, those of the inserts must do.
// The moments leave as microseconds since 1970.
constexpr auto columns = std::string_view{R"sql(
  select id, topic, private, event, payload::text, encode(binary_payload, 'hex'),
    (extract(epoch from inserted_at) * 1000000)::bigint, xid
  from ()sql"};
constexpr auto in_order = std::string_view{R"sql(
  ) b order by coalesce(committed, inserted_at at time zone 'utc'), place, spot)sql"};

constexpr auto newest_of_topic = std::string_view{R"(
    select * from jessica.broadcasts
    where topic = $1 and private
      and inserted_at >= timestamp 'epoch' + $2::bigint * interval '1 ms'
      and (expires_at is null or expires_at > now())
    order by inserted_at desc, committed desc nulls last, place desc limit $3)"};
constexpr auto missed = std::string_view{R"(
    select * from jessica.broadcasts
    where inserted_at > timestamp 'epoch' + $1::bigint * interval '1 microsecond'
      and id not in (select unnest($2::uuid[]))
      and coalesce(octet_length(payload::text), octet_length(binary_payload), 0) <= $3
    order by inserted_at, place limit $4)"};

[[nodiscard]] std::string query(std::string_view rows) {
  return std::string{columns} + std::string{rows} + std::string{in_order};
}

/// Bytes written in pairs of hexadecimal digits, as PostgreSQL writes them.
[[nodiscard]] std::string bytes_of_hex(std::string_view hex) {
  auto bytes = std::string{};
  bytes.reserve(hex.size() / 2);
  for (; hex.size() >= 2; hex.remove_prefix(2)) {
    auto byte = 0U;
    std::from_chars(hex.data(), hex.data() + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

[[nodiscard]] std::string hex_of_bytes(std::string_view bytes) {
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  auto hex = std::string{"\\x"};
  hex.reserve(2 + bytes.size() * 2);
  for (const auto c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4U];
    hex += digits[byte & 15U];
  }
  return hex;
}

/// JSON where there is some, else bytes, else an empty object.
void set_payload(stored_broadcast& of, std::optional<std::string_view> json,
                 std::optional<std::string_view> hex) {
  of.json = json || !hex;
  of.payload = of.json ? std::string{json.value_or("{}")} : bytes_of_hex(*hex);
}

[[nodiscard]] std::vector<stored_broadcast> read_all(const rows& from) {
  auto all = std::vector<stored_broadcast>{};
  all.reserve(static_cast<std::size_t>(from.size()));
  for (auto row = 0; row < from.size(); ++row) {
    const auto maybe = [&](int column) {
      return from.null(row, column) ? std::nullopt
                                    : std::optional{from.text(row, column)};
    };
    auto& read = all.emplace_back();
    read.id = uuid::parse(from.text(row, 0)).value_or(uuid{});
    read.topic = from.text(row, 1);
    read.is_private = from.text(row, 2) == "t";
    read.event = from.text(row, 3);
    set_payload(read, maybe(4), maybe(5));
    read.inserted = timestamp{std::chrono::microseconds{from.integer(row, 6)}};
    read.xid = static_cast<std::uint32_t>(from.integer(row, 7));
  }
  return all;
}

/// "2026-11-22 22:24:33.5" of a timestamp column, which is UTC; 1970 for what is none.
[[nodiscard]] timestamp moment_of(std::string_view text) {
  using namespace std::chrono;
  auto fields = std::array<int, 7>{}; // year to second, microseconds
  auto at = std::size_t{0};
  auto digits = 0;
  for (const auto c : text) {
    if (c < '0' || c > '9') {
      if (++at == fields.size())
        return {};
      digits = 0;
      continue;
    }
    fields[at] = fields[at] * 10 + (c - '0');
    ++digits;
  }
  for (; at == 6 && digits < 6; ++digits)
    fields[6] *= 10;
  const auto day =
      year_month_day{year{fields[0]}, month{static_cast<unsigned>(fields[1])},
                     std::chrono::day{static_cast<unsigned>(fields[2])}};
  if (at < 5 || !day.ok())
    return {};
  return timestamp{sys_days{day}} + hours{fields[3]} + minutes{fields[4]} +
         seconds{fields[5]} + microseconds{fields[6]};
}

} // namespace

result<void> store_broadcast(connection& db, const identity& who,
                             const new_broadcast& what) {
  auto insert = statement{std::string{what.ttl ? insert_passing : insert_lasting},
                          {what.id.str(), what.topic, what.event, {}, {}}};
  insert.parameters[what.json ? 3 : 4] =
      what.json ? what.payload : hex_of_bytes(what.payload);
  if (what.ttl)
    insert.parameters.emplace_back(std::to_string(what.ttl->count()));
  return db
      .run(std::array{statement{std::string{set_topic}, {what.topic}},
                      act_as(who, access::read_write), std::move(insert)})
      .transform([](auto&&) {});
}

std::optional<stored_broadcast> broadcast_of(const row_change& change) {
  const auto& table = *change.table();
  if (change.kind() != change_kind::insert || table.schema != "realtime" ||
      table.name != "messages")
    return std::nullopt;
  const auto row = change.row();
  const auto id = uuid::parse(row.text("id").value_or(""));
  const auto topic = row.text("topic");
  const auto event = row.text("event");
  if (!id || !topic || !event || row.text("extension") != "broadcast")
    return std::nullopt;
  auto made = stored_broadcast{};
  made.id = *id;
  made.topic = *topic;
  made.event = *event;
  made.is_private = row.text("private") == "t";
  auto hex = row.text("binary_payload");
  if (hex && hex->starts_with("\\x"))
    hex->remove_prefix(2);
  set_payload(made, row.text("payload"), hex);
  made.inserted = moment_of(row.text("inserted_at").value_or(""));
  return made;
}

result<std::vector<stored_broadcast>> stored_on(connection& db, std::string_view topic,
                                                std::chrono::milliseconds since,
                                                std::size_t most) {
  return db
      .run({query(newest_of_topic),
            {std::string{topic}, std::to_string(since.count()), std::to_string(most)}})
      .transform(read_all);
}

result<std::vector<stored_broadcast>>
missed_broadcasts(connection& db, std::string_view snapshot, const missed_wish& wish) {
  auto known = std::string{"{"};
  for (const auto& id : wish.known)
    known += (known.size() == 1 ? "" : ",") + id.str();
  const auto all = std::array{
      statement{query(missed),
                {std::to_string(wish.since.time_since_epoch().count()), known + '}',
                 std::to_string(wish.max_bytes), std::to_string(wish.most)}}};
  return run_in_snapshot(db, snapshot, all).transform([](const auto& got) {
    return read_all(got.front());
  });
}

result<std::int64_t> sweep_broadcasts(connection& db) {
  return db.run({"select jessica.sweep_broadcasts()", {}})
      .transform([](const rows& swept) { return swept.integer(0, 0); });
}

} // namespace jessica::storage
