#include "storage/pgoutput.hpp"

#include "storage/wal_bytes.hpp"

#include <chrono>
#include <format>
#include <limits>
#include <optional>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto server_epoch =
    timestamp{std::chrono::sys_days{std::chrono::January / 1 / 2000}};

std::unexpected<error> broken(std::string_view what) {
  return fail(errc::internal,
              std::format("the change feed does not make sense: {}", what));
}

std::unexpected<error> cut_off(char kind) {
  return broken(std::format("a message {} is too short or too long", kind));
}

// A byte as a log can show it.
std::string shown(char byte) {
  return std::format("0x{:02x}", static_cast<unsigned char>(byte));
}

std::optional<replica_identity> identity_of(char letter) {
  switch (letter) {
  case 'd':
    return replica_identity::primary_key;
  case 'n':
    return replica_identity::nothing;
  case 'f':
    return replica_identity::full;
  case 'i':
    return replica_identity::index;
  default:
    return std::nullopt;
  }
}

// The count is checked against what is there before memory is taken for it.
result<std::size_t> count_of(std::int64_t count, const byte_reader& in) {
  if (count < 0 || static_cast<std::uint64_t>(count) > in.left()) {
    return broken(std::format("{} items cannot be in {} bytes", count, in.left()));
  }
  return static_cast<std::size_t>(count);
}

result<void> read_field(byte_reader& in, field& one) {
  switch (const auto kind = in.byte(); kind) {
  case 'n':
    one = {field_state::null, {}};
    return {};
  case 'u':
    one = {field_state::unchanged, {}};
    return {};
  case 't':
    one = {field_state::text, in.counted_text()};
    return {};
  default:
    return broken(std::format("a field of kind {}", shown(kind)));
  }
}

result<void> read_row(byte_reader& in, const table_shape& table,
                      std::vector<field>& row) {
  row.resize(table.columns.size());
  if (const auto count = in.number<std::int16_t>();
      count < 0 || static_cast<std::size_t>(count) != row.size()) {
    return broken(std::format("a row of {} fields for the {} columns of {}.{}", count,
                              row.size(), table.schema, table.name));
  }
  for (auto& one : row) {
    if (auto read = read_field(in, one); !read) {
      return read;
    }
  }
  return {};
}

std::optional<old_row> old_row_of(char kind) {
  switch (kind) {
  case 'K':
    return old_row::key;
  case 'O':
    return old_row::full;
  default:
    return std::nullopt;
  }
}

result<table_column> read_column(byte_reader& in) {
  const auto flags = in.number<std::uint8_t>();
  if (flags > 1) {
    return broken(std::format("a column with flags {}", flags));
  }
  auto column = table_column{.name = std::string{in.terminated_text()},
                             .type = in.number<std::uint32_t>(),
                             .key = flags == 1};
  (void)in.number<std::int32_t>(); // the type's modifier
  return column;
}

result<table_shape> read_shape(byte_reader& in) {
  auto shape = table_shape{};
  shape.oid = in.number<std::uint32_t>();
  shape.schema = in.terminated_text();
  if (shape.schema.empty()) {
    shape.schema = "pg_catalog"; // the protocol's short form
  }
  shape.name = in.terminated_text();
  const auto letter = in.byte();
  const auto identity = identity_of(letter);
  if (!identity) {
    return broken(std::format("a replica identity {}", shown(letter)));
  }
  shape.identity = *identity;
  const auto columns = count_of(in.number<std::int16_t>(), in);
  if (!columns) {
    return std::unexpected{columns.error()};
  }
  shape.columns.reserve(*columns);
  for (auto i = std::size_t{0}; i < *columns; ++i) {
    auto column = read_column(in);
    if (!column) {
      return std::unexpected{std::move(column.error())};
    }
    shape.columns.push_back(std::move(*column));
  }
  return shape;
}

result<pgoutput_message> begin(byte_reader& in) {
  const auto message = transaction_begin{
      .commit = {in.number<std::uint64_t>()},
      .committed = from_server_time(in.number<std::int64_t>()),
      .xid = in.number<std::uint32_t>(),
  };
  return message;
}

result<pgoutput_message> commit(byte_reader& in) {
  (void)in.byte(); // flags, none is defined
  const auto message = transaction_commit{
      .commit = {in.number<std::uint64_t>()},
      .end = {in.number<std::uint64_t>()},
      .committed = from_server_time(in.number<std::int64_t>()),
  };
  return message;
}

result<pgoutput_message> message(byte_reader& in) {
  const auto flags = in.number<std::uint8_t>();
  if (flags > 1) {
    return broken(std::format("a log message with flags {}", flags));
  }
  (void)in.number<std::uint64_t>(); // its place: the frame around it says that too
  auto prefix = std::string{in.terminated_text()};
  return wal_message{.prefix = std::move(prefix),
                     .content = std::string{in.counted_text()},
                     .transactional = flags == 1};
}

} // namespace

timestamp from_server_time(std::int64_t microseconds) noexcept {
  const auto since = timestamp::duration{microseconds};
  // "infinity" and nonsense stay at the end of time instead of running over it.
  return since > timestamp::max() - server_epoch ? timestamp::max()
                                                 : server_epoch + since;
}

std::int64_t to_server_time(timestamp when) noexcept {
  return (when - server_epoch).count();
}

result<std::shared_ptr<const table_shape>>
pgoutput_decoder::table(byte_reader& in) const {
  const auto oid = in.number<std::uint32_t>();
  const auto found = tables_.find(oid);
  if (found == tables_.end()) {
    return broken(std::format("table {} was never announced", oid));
  }
  return found->second;
}

result<pgoutput_message> pgoutput_decoder::relation(byte_reader& in) {
  auto shape = read_shape(in);
  if (!shape) {
    return std::unexpected{std::move(shape.error())};
  }
  if (!in.finished()) {
    return cut_off('R');
  }
  const auto known = tables_.find(shape->oid);
  if (known != tables_.end() && *known->second == *shape) {
    return table_announced{known->second}; // told again: nothing has changed
  }
  if (known == tables_.end() && tables_.size() >= table_limit) {
    return broken("more tables than can be");
  }
  auto shared = std::make_shared<const table_shape>(std::move(*shape));
  tables_.insert_or_assign(shared->oid, shared);
  return table_announced{std::move(shared)};
}

result<pgoutput_message> pgoutput_decoder::insert(byte_reader& in) {
  auto shape = table(in);
  if (!shape) {
    return std::unexpected{std::move(shape.error())};
  }
  if (in.byte() != 'N') {
    return broken("an insert without a new row");
  }
  if (auto read = read_row(in, **shape, row_); !read) {
    return std::unexpected{std::move(read.error())};
  }
  if (!in.finished()) {
    return cut_off('I');
  }
  return row_change{change_kind::insert, std::move(*shape), row_};
}

result<pgoutput_message> pgoutput_decoder::update(byte_reader& in) {
  auto shape = table(in);
  if (!shape) {
    return std::unexpected{std::move(shape.error())};
  }
  auto kind = in.byte();
  const auto known = old_row_of(kind);
  old_.clear();
  if (known) {
    if (auto read = read_row(in, **shape, old_); !read) {
      return std::unexpected{std::move(read.error())};
    }
    kind = in.byte();
  }
  if (kind != 'N') {
    return broken("an update without a new row");
  }
  if (auto read = read_row(in, **shape, row_); !read) {
    return std::unexpected{std::move(read.error())};
  }
  if (!in.finished()) {
    return cut_off('U');
  }
  return row_change{change_kind::update, std::move(*shape), row_,
                    known.value_or(old_row::none), old_};
}

result<pgoutput_message> pgoutput_decoder::remove(byte_reader& in) {
  auto shape = table(in);
  if (!shape) {
    return std::unexpected{std::move(shape.error())};
  }
  const auto known = old_row_of(in.byte());
  if (!known) {
    return broken("a delete without an old row");
  }
  if (auto read = read_row(in, **shape, old_); !read) {
    return std::unexpected{std::move(read.error())};
  }
  if (!in.finished()) {
    return cut_off('D');
  }
  return row_change{change_kind::remove, std::move(*shape), {}, *known, old_};
}

result<pgoutput_message> pgoutput_decoder::truncate(byte_reader& in) {
  const auto tables = in.number<std::int32_t>();
  (void)in.byte(); // cascade, restart identity
  const auto count = count_of(tables, in);
  if (!count) {
    return std::unexpected{count.error()};
  }
  auto truncated = tables_truncated{};
  for (auto i = std::size_t{0}; i < *count; ++i) {
    auto shape = table(in);
    if (!shape) {
      return std::unexpected{std::move(shape.error())};
    }
    truncated.tables.push_back(std::move(*shape));
  }
  return truncated;
}

result<pgoutput_message> pgoutput_decoder::decode(std::string_view bytes) {
  // PostgreSQL's own limit of a message is 1 GB; positions in a row have 32 bits.
  if (bytes.size() > std::numeric_limits<std::int32_t>::max()) {
    return broken("a message of more than 2 GB");
  }
  auto in = byte_reader{bytes};
  const auto kind = in.byte();
  const auto complete = [&](result<pgoutput_message> got) {
    return got && !in.finished() ? cut_off(kind) : std::move(got);
  };
  switch (kind) {
  case 'B':
    return complete(begin(in));
  case 'C':
    return complete(commit(in));
  case 'R':
    return relation(in);
  case 'I':
    return insert(in);
  case 'U':
    return update(in);
  case 'D':
    return remove(in);
  case 'T':
    return complete(truncate(in));
  case 'M':
    return complete(message(in));
  case 'Y':
  case 'O':
    return nothing_told{};
  default:
    return broken(std::format("a message of kind {}", shown(kind)));
  }
}

} // namespace jessica::storage
