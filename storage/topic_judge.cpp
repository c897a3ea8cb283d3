#include "storage/topic_judge.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <span>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

/// Found by its names: the role of this connection may not use the schema.
constexpr auto find_table = std::string_view{R"((
  select t.oid from pg_catalog.pg_class t
  join pg_catalog.pg_namespace n on n.oid = t.relnamespace
  where n.nspname = 'realtime' and t.relname = 'messages'))"};

/// An empty search path, so that expressions come with their names in full.
constexpr auto read_in_full =
    std::string_view{"select pg_catalog.set_config('search_path', '', true)"};

/// Names the policies and defaults of a table by their latest changes.
[[nodiscard]] std::string fingerprint_of(std::string_view table) {
  return std::format(R"((
  select concat_ws(' ', c.oid, c.xmin,
    (select string_agg(concat(p.oid, '.', p.xmin), ' ' order by p.oid)
     from pg_catalog.pg_policy p where p.polrelid = c.oid),
    (select string_agg(concat(d.oid, '.', d.xmin), ' ' order by d.oid)
     from pg_catalog.pg_attrdef d where d.adrelid = c.oid))
  from pg_catalog.pg_class c where c.oid = {}))",
                     table);
}

[[nodiscard]] std::string columns_of(std::string_view table) {
  return std::format(R"(
  select quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
    pg_get_expr(d.adbin, d.adrelid)
  from pg_attribute a
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = {} and a.attnum > 0 and not a.attisdropped
  order by a.attnum)",
                     table);
}

/// What each policy demands of a row that is read, and of one that is written.
[[nodiscard]] std::string policies_of(std::string_view table) {
  return std::format(R"(
  select p.polpermissive, p.polcmd in ('r', '*'), p.polcmd in ('a', '*'),
    coalesce(pg_get_expr(p.polqual, p.polrelid), 'true'),
    coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid),
             'true'),
    case when 0 = any (p.polroles) then 'true'
      else (select string_agg(format('pg_catalog.pg_has_role(%s::pg_catalog.oid, ''usage'')',
                                     r::text), ' or ') from unnest(p.polroles) r) end
  from pg_policy p where p.polrelid = {} order by p.oid)",
                     table);
}

/// For the whole batch: what act_as() sets, and one plan for all who ask.
constexpr auto prepare = std::string_view{R"(
  select set_config('search_path', '"public", "extensions"', true),
         set_config('transaction_read_only', 'on', true),
         set_config('plan_cache_mode', 'force_generic_plan', true))"};

/// For one question, as act_as(), with the topic.
constexpr auto become = std::string_view{R"(
  select set_config('request.jwt.claims', $2, true),
         set_config('realtime.topic', $3, true),
         set_config('role', $1, true))"};

/// The row that would be read or written.
[[nodiscard]] std::string row_of(const rows& columns) {
  auto list = std::string{};
  for (auto i = 0; i < columns.size(); ++i) {
    const auto name = columns.text(i, 0);
    auto value =
        columns.null(i, 2) ? std::string{"null"} : std::string{columns.text(i, 2)};
    if (name == "topic")
      value = "$1";
    else if (name == "extension")
      value = "kind.name";
    else if (name == "private")
      value = "true";
    list += std::format("{}({})::{} as {}", i == 0 ? "" : ", ", value,
                        columns.text(i, 1), name);
  }
  return list;
}

/// Row security: one permissive policy at least, and all restrictive ones.
[[nodiscard]] std::string rule_of(std::string_view table, const rows& policies,
                                  int applies, int demands) {
  auto permissive = std::string{"false"};
  auto restrictive = std::string{"true"};
  for (auto i = 0; i < policies.size(); ++i) {
    if (policies.text(i, applies) != "t")
      continue;
    const auto of_role = policies.text(i, 5);
    if (policies.text(i, 0) == "t")
      permissive += std::format(" or case when {} then ({}) else false end", of_role,
                                policies.text(i, demands));
    else
      restrictive += std::format(" and case when {} then ({}) else true end", of_role,
                                 policies.text(i, demands));
  }
  return std::format("(not pg_catalog.row_security_active({}::pg_catalog.oid) or "
                     "(({}) and ({})))",
                     table, permissive, restrictive);
}

/// Whether a rule may tell rows of one kind from those of another: by the column, or by
/// the row as a whole.
[[nodiscard]] bool tells_kinds_apart(std::string_view rule) {
  return rule.contains("extension") || rule.contains(".*");
}

/// What is the same for both kinds of rows, or for reading and writing, is judged once
/// ("offset 0" keeps the planner from copying it to where it is used).
[[nodiscard]] std::string make_query(std::string_view table, const rows& columns,
                                     const rows& policies) {
  constexpr auto reads = 1;
  constexpr auto writes = 2;
  constexpr auto read_demands = 3;
  constexpr auto write_demands = 4;
  const auto may_read = rule_of(table, policies, reads, read_demands);
  const auto may_write = rule_of(table, policies, writes, write_demands);
  const auto apart = tells_kinds_apart(may_read) || tells_kinds_apart(may_write);
  return std::format(
      R"(select
    pg_catalog.has_schema_privilege('realtime', 'usage') and
      pg_catalog.has_column_privilege({0}::pg_catalog.oid, 'id', 'select') as may_read,
    pg_catalog.has_schema_privilege('realtime', 'usage') and
      pg_catalog.has_column_privilege({0}::pg_catalog.oid, 'topic', 'insert') as may_write,
    judged.*
  from (
    select coalesce(bool_or(r) filter (where k = 'broadcast'), false),
      coalesce(bool_or(w) filter (where k = 'broadcast'), false),
      coalesce(bool_or(r) filter (where k = '{5}'), false),
      coalesce(bool_or(w) filter (where k = '{5}'), false)
    from (
      select kind.name as k, rule.r, {2} as w
      from (values {4}) kind (name)
      cross join lateral (select {3}) messages
      cross join lateral (select {1} as r offset 0) rule
    ) each_kind
  ) judged)",
      table, may_read, may_write == may_read ? "rule.r" : may_write, row_of(columns),
      apart ? "('broadcast'), ('presence')" : "('broadcast')",
      apart ? "presence" : "broadcast");
}

[[nodiscard]] topic_rights rights_in(const rows& row) {
  const auto is = [&](int column) { return row.text(0, column) == "t"; };
  const auto reads = is(0);
  const auto writes = is(1);
  return {reads && is(2), writes && is(3), reads && is(4), writes && is(5)};
}

} // namespace

result<void> topic_judge::read_policies(connection& db) {
  const auto read = db.run(std::array{
      statement{std::string{read_in_full}, {}},
      statement{"select " + std::string{find_table} + "::text, " +
                    fingerprint_of(find_table),
                {}},
      statement{columns_of(find_table), {}}, statement{policies_of(find_table), {}}});
  if (!read)
    return std::unexpected{read.error()};
  const auto table = read->at(1).text(0, 0);
  policies_ = read->at(1).text(0, 1);
  check_ = "select " + fingerprint_of(table);
  query_ = make_query(table, read->at(2), read->at(3));
  return {};
}

std::optional<topic_judge::answers>
topic_judge::judge(connection& db, std::span<const topic_question> asked) {
  constexpr auto tries = 2; // policies that change faster than that are asked directly
  for (auto i = 0; i < tries; ++i) {
    if (query_.empty() && !read_policies(db))
      return std::nullopt;
    auto statements = std::vector<statement>{{std::string{prepare}, {}}};
    for (const auto& [who, topic] : asked) {
      statements.push_back(
          {std::string{become},
           {std::string{name(who->role)}, who->claims, std::string{topic}}});
      statements.push_back({query_, {std::string{topic}}});
    }
    statements.push_back({check_, {}});
    const auto answer = db.run(statements);
    if (!answer)
      return std::nullopt;
    if (answer->back().text(0, 0) == policies_) {
      auto rights = answers{};
      for (auto k = std::size_t{2}; k + 1 < answer->size(); k += 2)
        rights.emplace_back(rights_in(answer->at(k)));
      return rights;
    }
    query_.clear();
  }
  return std::nullopt;
}

topic_judge::answers topic_judge::rights_of(connection& db,
                                            std::span<const topic_question> asked) {
  const auto broken = std::ranges::any_of(
      asked, [](const auto& one) { return one.topic.contains('\0'); });
  if (auto together = broken ? std::nullopt : judge(db, asked))
    return std::move(*together);
  auto rights = answers{};
  for (const auto& one : asked) {
    if (asked.size() > 1) {
      rights.push_back(std::move(rights_of(db, {&one, 1}).front()));
      continue;
    }
    // Policies that fail do so there, too, or cost only the rights they are about.
    query_.clear();
    rights.push_back(topic_rights_of(db, *one.who, one.topic));
  }
  return rights;
}

} // namespace jessica::storage
