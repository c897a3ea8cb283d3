#include "storage/rest_schema.hpp"

#include "storage/rest_relations.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace jessica::storage {
namespace {

// Names outside pg_catalog are spelled with their schema from here on.
constexpr auto plain_names =
    std::string_view{"select set_config('search_path', '', true)"};

// Columns of exposed tables, and of composite types that exposed functions return.
constexpr auto columns_of = std::string_view{R"(
  select c.oid, c.relname, n.nspname = $1 and c.relkind <> 'c', a.attname,
    format_type(a.atttypid, a.atttypmod),
    case when a.attidentity <> '' then format('nextval(%L)',
           pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname))
         when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
    a.attnotnull, col_description(c.oid, a.attnum), obj_description(c.oid, 'pg_class')
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where (n.nspname = $1 and c.relkind in ('r', 'v', 'm', 'f', 'p') and not c.relispartition)
     or c.oid in (select t.typrelid from pg_proc p join pg_type t on t.oid = p.prorettype
                  where p.pronamespace = (select oid from pg_namespace where nspname = $1)
                    and t.typtype = 'c')
  order by c.oid, a.attnum limit $2::bigint)"};

constexpr auto keys_of = std::string_view{R"(
  select c.relname, a.attname
  from pg_index i
  join pg_class c on c.oid = i.indrelid
  join pg_namespace n on n.oid = c.relnamespace and n.nspname = $1
  cross join lateral unnest(i.indkey::int2[]) with ordinality u (num, place)
  join pg_attribute a on a.attrelid = c.oid and a.attnum = u.num
  where i.indisprimary and u.place <= i.indnkeyatts
  order by c.relname, u.place limit $2::bigint)"};

// One row a column; "one": the referencing columns are unique, too.
constexpr auto foreign_keys_of = std::string_view{R"(
  select k.oid, k.conname, k.conrelid, k.confrelid, a.attname, b.attname,
    exists (select from pg_index i where i.indrelid = k.conrelid and i.indisunique
              and i.indpred is null and i.indexprs is null
              and (i.indkey::int2[])[0:i.indnkeyatts - 1] <@ k.conkey)
  from pg_constraint k
  cross join lateral unnest(k.conkey, k.confkey) with ordinality u (here, there, place)
  join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.here
  join pg_attribute b on b.attrelid = k.confrelid and b.attnum = u.there
  where k.contype = 'f' and k.conparentid = 0
  order by k.oid, u.place limit $2::bigint)"};

// Exposed views' columns that are columns of tables, as their stored queries say: of
// several notes about one column the last is the outermost.
constexpr auto view_columns_of = std::string_view{R"(
  select distinct on (v.oid, a.attnum) v.relname, a.attname, m[3]::oid, b.attname
  from pg_class v
  join pg_namespace n on n.oid = v.relnamespace and n.nspname = $1
  join pg_rewrite r on r.ev_class = v.oid and r.rulename = '_RETURN'
  cross join lateral regexp_matches(r.ev_action::text,
    ':resno (\d+) :resname (\S+) :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+) ',
    'g') with ordinality x (m, place)
  join pg_attribute a on a.attrelid = v.oid and a.attnum = m[1]::int2 and a.attname = m[2]
  join pg_attribute b on b.attrelid = m[3]::oid and b.attnum = m[4]::int2 and b.attnum > 0
  where v.relkind in ('v', 'm')
  order by v.oid, a.attnum, x.place desc limit $2::bigint)"};

// One row an argument; a function without any has one row.
constexpr auto functions_of = std::string_view{R"(
  select p.oid, p.proname, p.provolatile, p.proretset,
    case when r.oid = 'void'::regtype then 'nothing'
         when r.typtype = 'c' or coalesce(p.proargmodes::text[] && '{t,b,o}', false)
         then 'row' else 'scalar' end,
    case when r.typtype = 'c' then r.typrelid end,
    p.pronargs, p.pronargdefaults,
    coalesce(p.proargmodes[u.place], 'i'), coalesce(p.proargnames[u.place], ''),
    format_type(u.type, null), t.typrelid, obj_description(p.oid, 'pg_proc')
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace and n.nspname = $1
  join pg_type r on r.oid = p.prorettype
  left join lateral unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]))
    with ordinality u (type, place) on true
  left join pg_type t on t.oid = u.type and t.typtype = 'c'
  where p.prokind = 'f' and r.oid not in ('trigger'::regtype, 'event_trigger'::regtype)
  order by p.proname, p.oid, u.place limit $2::bigint)"};

constexpr auto time_limits_of = std::string_view{R"(
  select r.rolname, split_part(s, '=', 2)
  from pg_roles r cross join lateral unnest(r.rolconfig) s
  where r.rolname in ('anon', 'authenticated', 'service_role')
    and split_part(s, '=', 1) = 'statement_timeout')"};

struct known_relation {
  bool exposed = false;
  schema_table table;
};
using relations_by_oid = std::map<std::int64_t, known_relation>;

[[nodiscard]] relations_by_oid read_columns(const rows& from) {
  auto known = relations_by_oid{};
  for (auto row = 0; row < from.size(); ++row) {
    auto& relation = known[from.integer(row, 0)];
    relation.table.name = from.text(row, 1);
    relation.exposed = from.text(row, 2) == "t";
    relation.table.columns.push_back(
        {std::string{from.text(row, 3)}, std::string{from.text(row, 4)},
         std::string{from.text(row, 5)}, from.text(row, 6) == "t",
         std::string{from.text(row, 7)}});
    relation.table.note = from.text(row, 8);
  }
  return known;
}

/// Takes in one argument of the function that the row belongs to.
void add_argument(schema_function& to, const rows& from, int row) {
  if (from.null(row, 8))
    return;
  const auto mode = from.text(row, 8);
  auto name = std::string{from.text(row, 9)};
  auto type = std::string{from.text(row, 10)};
  if (mode != "i") // of OUT, INOUT and TABLE: columns of the result
    if (mode != "v")
      to.row.columns.push_back({name, type, {}, false, {}});
  if (mode == "o" || mode == "t")
    return;
  const auto inputs = from.integer(row, 6);
  const auto place = static_cast<std::int64_t>(to.arguments.size());
  to.arguments.push_back({std::move(name), std::move(type),
                          place >= inputs - from.integer(row, 7), mode == "v"});
}

[[nodiscard]] schema_function read_function(const rows& from, int row,
                                            const relations_by_oid& known) {
  auto made = schema_function{};
  made.name = from.text(row, 1);
  made.volatile_ = from.text(row, 2) == "v";
  made.many = from.text(row, 3) == "t";
  made.note = from.text(row, 12);
  const auto gives = from.text(row, 4);
  made.gives = gives == "nothing" ? schema_function::result::nothing
               : gives == "row"   ? schema_function::result::row
                                  : schema_function::result::scalar;
  const auto of = from.null(row, 5) ? known.end() : known.find(from.integer(row, 5));
  if (of != known.end()) {
    made.row = of->second.table;
    if (!of->second.exposed)
      made.row.name.clear(); // a type: nothing relates to it
  }
  return made;
}

void read_functions(rest_schema& to, const rows& from, relations_by_oid& known) {
  auto last = std::optional<std::int64_t>{};
  for (auto row = 0; row < from.size(); ++row) {
    auto& named = to.functions[std::string{from.text(row, 1)}];
    if (last != from.integer(row, 0))
      named.push_back(read_function(from, row, known));
    last = from.integer(row, 0);
    const auto of =
        from.null(row, 11) ? known.end() : known.find(from.integer(row, 11));
    if (of != known.end() && from.integer(row, 6) == 1)
      of->second.table.computed.emplace_back(from.text(row, 1));
    add_argument(named.back(), from, row);
  }
}

void read_keys(relations_by_oid& known, const rows& from) {
  auto by_name = std::map<std::string, schema_table*, std::less<>>{};
  for (auto& [oid, relation] : known)
    if (relation.exposed)
      by_name.emplace(relation.table.name, &relation.table);
  for (auto row = 0; row < from.size(); ++row)
    if (const auto found = by_name.find(from.text(row, 0)); found != by_name.end())
      found->second->key.emplace_back(from.text(row, 1));
}

/// Where a table's rows are seen: in the table and in views on it.
[[nodiscard]] faces_by_table read_faces(const relations_by_oid& known,
                                        const rows& view_columns) {
  auto faces = faces_by_table{};
  for (const auto& [oid, relation] : known)
    if (relation.exposed) {
      auto& own = faces[oid].emplace_back(table_face{relation.table.name, {}});
      for (const auto& column : relation.table.columns)
        own.columns.emplace(column.name, column.name);
    }
  for (auto row = 0; row < view_columns.size(); ++row) {
    auto& of_table = faces[view_columns.integer(row, 2)];
    const auto view = view_columns.text(row, 0);
    auto found = std::ranges::find(of_table, view, &table_face::name);
    if (found == of_table.end())
      found = of_table.insert(found, {std::string{view}, {}});
    found->columns.emplace(view_columns.text(row, 3), view_columns.text(row, 1));
  }
  return faces;
}

[[nodiscard]] std::vector<foreign_key> read_foreign_keys(const rows& from) {
  auto keys = std::vector<foreign_key>{};
  auto last = std::optional<std::int64_t>{};
  for (auto row = 0; row < from.size(); ++row) {
    if (last != from.integer(row, 0))
      keys.push_back({std::string{from.text(row, 1)},
                      from.integer(row, 2),
                      from.integer(row, 3),
                      {},
                      from.text(row, 6) == "t"});
    last = from.integer(row, 0);
    keys.back().columns.push_back(
        {std::string{from.text(row, 4)}, std::string{from.text(row, 5)}});
  }
  return keys;
}

} // namespace

const schema_column* schema_table::find(std::string_view column) const noexcept {
  const auto found = std::ranges::find(columns, column, &schema_column::name);
  return found == columns.end() ? nullptr : &*found;
}

bool schema_table::readable(std::string_view column) const noexcept {
  return find(column) != nullptr || std::ranges::contains(computed, column);
}

const schema_table* rest_schema::table(std::string_view name) const noexcept {
  const auto found = tables.find(name);
  return found == tables.end() ? nullptr : &found->second;
}

result<schema_snapshot> load_schema(connection& db, std::uint64_t version,
                                    schema_limits limits) {
  const auto about = [&](std::string_view sql) {
    return statement{std::string{sql},
                     {std::string{exposed_schema}, std::to_string(limits.rows)}};
  };
  const auto read = db.run(std::array{
      statement{std::string{plain_names}, {}}, about(columns_of), about(keys_of),
      statement{
          std::string{foreign_keys_of}.replace(foreign_keys_of.find("$2"), 2, "$1"),
          {std::to_string(limits.rows)}},
      about(view_columns_of), about(functions_of),
      statement{std::string{time_limits_of}, {}}});
  if (!read)
    return std::unexpected{read.error()};
  auto made = std::make_shared<rest_schema>();
  made->version = version;
  made->cut = std::ranges::any_of(*read, [&](const rows& part) {
    return static_cast<std::size_t>(part.size()) >= limits.rows;
  });
  auto known = read_columns(read->at(1));
  read_keys(known, read->at(2));
  read_functions(*made, read->at(5), known);
  const auto faces = read_faces(known, read->at(4));
  for (auto& [oid, relation] : known)
    if (relation.exposed)
      made->tables.emplace(relation.table.name, std::move(relation.table));
  for (auto& one :
       relationships_of(read_foreign_keys(read->at(3)), faces, made->tables))
    made->relationships[one.from].push_back(std::move(one));
  for (auto row = 0; row < read->at(6).size(); ++row)
    made->time_limits.emplace(read->at(6).text(row, 0), read->at(6).text(row, 1));
  return made;
}

} // namespace jessica::storage
