#include "storage/realtime_tables.hpp"

#include "storage/act_as.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace jessica::storage {
namespace {

constexpr auto read_columns_sql = std::string_view{R"(
  select c.oid, t.nspname, t.relname, c.name, c.type, c.key
  from jessica.realtime_columns c
  join (select distinct oid, nspname, relname from jessica.realtime_tables) t using (oid))"};

constexpr auto read_policies = std::string_view{R"(
  select t.oid, t.rolname, t.class, col
  from jessica.realtime_tables t left join lateral unnest(t.columns) col on true)"};

[[nodiscard]] std::uint32_t oid_of(std::string_view text) {
  auto oid = std::uint32_t{0};
  std::from_chars(text.data(), text.data() + text.size(), oid);
  return oid;
}

void set_rule(realtime_policy& of, std::string_view text) {
  constexpr auto owner = std::string_view{"owner:"};
  using rule = realtime_policy::rule;
  if (text.starts_with(owner)) {
    of.judged = rule::owner;
    of.owner = text.substr(owner.size());
  } else if (text != "none") {
    of.judged = text == "open" ? rule::open : rule::sql;
  }
}

[[nodiscard]] std::string sql_name(std::string_view name) {
  auto text = std::string{'"'};
  for (const auto c : name)
    text += c == '"' ? std::string{"\"\""} : std::string{c};
  return text + '"';
}

/// `from "schema"."table" where "key" = $1 and ...`, and the values.
struct keyed_row {
  std::string sql;
  std::vector<parameter> values;
};
[[nodiscard]] keyed_row keyed(const realtime_table& table, const row_key& key) {
  auto row =
      keyed_row{" from " + sql_name(table.schema) + '.' + sql_name(table.name), {}};
  for (const auto& [column, value] : key) {
    row.sql += row.values.empty() ? " where " : " and ";
    row.values.emplace_back(value);
    row.sql += sql_name(table.columns.at(column).name) + " = $" +
               std::to_string(row.values.size());
  }
  return row;
}

} // namespace

result<std::vector<realtime_table>> realtime_tables(connection& db) {
  const auto answer = db.run(std::array{statement{std::string{read_columns_sql}, {}},
                                        statement{std::string{read_policies}, {}}});
  if (!answer)
    return std::unexpected{answer.error()};
  auto tables = std::vector<realtime_table>{};
  const auto find = [&](std::uint32_t oid) {
    return std::ranges::find(tables, oid, &realtime_table::oid);
  };
  const auto& columns = answer->front();
  for (auto row = 0; row < columns.size(); ++row) {
    const auto oid = oid_of(columns.text(row, 0));
    auto table = find(oid);
    if (table == tables.end()) {
      tables.push_back({oid,
                        std::string{columns.text(row, 1)},
                        std::string{columns.text(row, 2)},
                        {},
                        {},
                        {}});
      table = std::prev(tables.end());
    }
    table->columns.push_back({std::string{columns.text(row, 3)},
                              std::string{columns.text(row, 4)},
                              columns.text(row, 5) == "t"});
  }
  const auto& policies = answer->back();
  for (auto row = 0; row < policies.size(); ++row) {
    const auto table = find(oid_of(policies.text(row, 0)));
    if (table == tables.end())
      continue; // a table without columns
    auto& of = policies.text(row, 1) == "anon" ? table->anon : table->authenticated;
    set_rule(of, policies.text(row, 2));
    if (!policies.null(row, 3))
      of.columns.emplace_back(policies.text(row, 3));
  }
  return tables;
}

result<std::vector<bool>>
who_sees(connection& db, const realtime_table& table, const row_key& key,
         std::span<const std::shared_ptr<const identity>> whom) {
  const auto row = keyed(table, key);
  auto statements = std::vector<statement>{};
  for (const auto& who : whom) {
    statements.push_back(act_as(*who, access::read_only));
    statements.push_back({"select exists (select" + row.sql + ")", row.values});
  }
  const auto answer = db.run(statements);
  if (!answer)
    return std::unexpected{answer.error()};
  auto sees = std::vector<bool>{};
  for (auto i = std::size_t{1}; i < answer->size(); i += 2)
    sees.push_back(answer->at(i).text(0, 0) == "t");
  return sees;
}

result<std::vector<parameter>> read_columns(connection& db, const realtime_table& table,
                                            const row_key& key,
                                            std::span<const std::size_t> columns) {
  auto service = identity{};
  service.role = db_role::service_role;
  service.claims = R"({"role":"service_role"})";
  const auto row = keyed(table, key);
  auto list = std::string{};
  for (const auto column : columns)
    list +=
        (list.empty() ? "" : ", ") + sql_name(table.columns.at(column).name) + "::text";
  const auto answer =
      db.run(std::array{act_as(service, access::read_only),
                        statement{"select " + list + row.sql, row.values}});
  if (!answer)
    return std::unexpected{answer.error()};
  const auto& found = answer->back();
  auto values = std::vector<parameter>(columns.size());
  for (auto i = 0; found.size() > 0 && i < static_cast<int>(columns.size()); ++i)
    if (!found.null(0, i))
      values[static_cast<std::size_t>(i)] = std::string{found.text(0, i)};
  return values;
}

} // namespace jessica::storage
