#include "storage/rest_openapi.hpp"

#include "storage/rest_openapi_pieces.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

constexpr auto rights_sql = std::string_view{R"(
  select 't', c.relname, has_any_column_privilege(c.oid, 'select'),
    has_any_column_privilege(c.oid, 'insert'), has_any_column_privilege(c.oid, 'update'),
    has_table_privilege(c.oid, 'delete')
  from pg_catalog.pg_class c
  where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
    and c.relkind in ('r', 'v', 'm', 'f', 'p')
  union all
  select 'f', p.proname, bool_or(has_function_privilege(p.oid, 'execute')), false, false,
    false
  from pg_catalog.pg_proc p
  where p.pronamespace = (select oid from pg_catalog.pg_namespace where nspname = $1)
    and p.prokind = 'f'
  group by p.proname)"};

struct operation {
  std::string tag;
  std::string note;
  std::string parameters; ///< a JSON array
  std::string responses;  ///< a JSON object
};

[[nodiscard]] std::string json_of(const operation& what) {
  auto made = object();
  made.add("tags", text_list({std::string_view{what.tag}}));
  if (!what.note.empty())
    made.text("summary", what.note);
  return made.add("parameters", what.parameters)
      .add("responses", what.responses)
      .done();
}

[[nodiscard]] std::string parameters(const schema_table& table, bool filtered,
                                     std::initializer_list<std::string_view> named) {
  auto all = json_list{'['};
  if (filtered)
    for (const auto& column : table.columns)
      all.add(reference("parameters",
                        std::format("rowFilter.{}.{}", table.name, column.name)));
  for (const auto& one : named)
    all.add(reference("parameters", one));
  return all.done();
}

[[nodiscard]] std::string rows_answer(const schema_table& table) {
  const auto schema = object()
                          .text("type", "array")
                          .add("items", reference("definitions", table.name))
                          .done();
  return object()
      .add("200", object().text("description", "OK").add("schema", schema).done())
      .add("206", object().text("description", "Partial Content").done())
      .done();
}

[[nodiscard]] std::string path_of(const schema_table& table,
                                  const table_rights& rights) {
  const auto body = "body." + table.name;
  auto made = object();
  const auto add = [&](std::string_view method, std::string given, std::string back) {
    made.add(method,
             json_of({table.name, table.note, std::move(given), std::move(back)}));
  };
  if (rights.select)
    add("get",
        parameters(table, true,
                   {"select", "order", "range", "rangeUnit", "offset", "limit",
                    "preferCount"}),
        rows_answer(table));
  if (rights.insert)
    add("post", parameters(table, false, {body, "select", "on_conflict", "preferPost"}),
        answers("201", "Created"));
  if (rights.update)
    add("patch", parameters(table, true, {body, "preferReturn"}),
        answers("204", "No Content"));
  if (rights.remove)
    add("delete", parameters(table, true, {"preferReturn"}),
        answers("204", "No Content"));
  return made.done();
}

/// The body of a call as a parameter.
[[nodiscard]] std::string arguments_of(const schema_function& function) {
  auto required = std::vector<std::string>{};
  auto properties = object();
  for (const auto& one : function.arguments) {
    auto type = object();
    put_type(type, one.type);
    properties.add(one.name, type.done());
    if (!one.optional && !one.variadic)
      required.push_back(one.name);
  }
  auto schema = object();
  if (!required.empty())
    schema.add("required", text_list(required));
  schema.text("type", "object").add("properties", properties.done());
  return object()
      .text("name", "args")
      .text("in", "body")
      .add("required", "true")
      .add("schema", schema.done())
      .done();
}

[[nodiscard]] std::string query_arguments_of(const schema_function& function) {
  auto all = json_list{'['};
  for (const auto& one : function.arguments) {
    auto made = object();
    made.text("name", one.name).text("in", "query");
    made.add("required", one.optional || one.variadic ? "false" : "true");
    const auto word = json_type(one.type);
    made.text("type", word.empty() || word == "array" ? "string" : word)
        .text("format", one.type);
    all.add(made.done());
  }
  return all.done();
}

[[nodiscard]] std::string path_of(const schema_function& function) {
  const auto tag = "(rpc) " + function.name;
  const auto back = function.gives == schema_function::result::nothing
                        ? answers("204", "No Content")
                        : answers("200", "OK");
  auto made = object();
  if (!function.volatile_)
    made.add("get", json_of({tag, function.note, query_arguments_of(function), back}));
  return made
      .add("post", json_of({tag, function.note,
                            json_list{'['}.add(arguments_of(function)).done(), back}))
      .done();
}

struct named_parameter {
  std::string_view key;
  std::string_view name;
  std::string_view in;
  std::string_view note;
};
constexpr auto query_parameters = std::to_array<named_parameter>({
    {"select", "select", "query", "Columns and related rows to answer with"},
    {"on_conflict", "on_conflict", "query", "Columns by which a row is there already"},
    {"order", "order", "query", "Columns to sort by"},
    {"range", "Range", "header", "First and last row, from 0"},
    {"rangeUnit", "Range-Unit", "header", "items"},
    {"offset", "offset", "query", "Rows to leave out"},
    {"limit", "limit", "query", "Rows to answer with"},
});

[[nodiscard]] std::string parameter_of(const named_parameter& what) {
  return object()
      .text("name", what.name)
      .text("in", what.in)
      .add("required", "false")
      .text("type", "string")
      .text("description", what.note)
      .done();
}

[[nodiscard]] std::string preference(std::initializer_list<std::string_view> words) {
  return object()
      .text("name", "Prefer")
      .text("in", "header")
      .add("required", "false")
      .text("type", "string")
      .add("enum", text_list(words))
      .done();
}

void put_parameters(json_list& to, const schema_table& table) {
  to.add("body." + table.name, object()
                                   .text("name", table.name)
                                   .text("in", "body")
                                   .add("required", "false")
                                   .add("schema", reference("definitions", table.name))
                                   .done());
  for (const auto& column : table.columns)
    to.add(std::format("rowFilter.{}.{}", table.name, column.name),
           object()
               .text("name", column.name)
               .text("in", "query")
               .add("required", "false")
               .text("type", "string")
               .done());
}

[[nodiscard]] json_list shared_parameters() {
  auto all = object();
  for (const auto& one : query_parameters)
    all.add(one.key, parameter_of(one));
  all.add("preferReturn", preference({"return=representation", "return=minimal"}))
      .add("preferCount",
           preference({"count=exact", "count=planned", "count=estimated"}))
      .add("preferPost",
           preference({"return=representation", "return=minimal", "return=headers-only",
                       "resolution=merge-duplicates", "resolution=ignore-duplicates",
                       "missing=default"}));
  return all;
}

[[nodiscard]] std::string root_path() {
  return object()
      .add("get", object()
                      .add("tags", text_list({"Introspection"}))
                      .text("summary", "This document")
                      .add("produces",
                           text_list({"application/openapi+json", "application/json"}))
                      .add("responses", answers("200", "OK"))
                      .done())
      .done();
}

void put_place(json_list& to, std::string_view url) {
  const auto mark = url.find("://");
  const auto scheme = url.substr(0, mark == std::string_view::npos ? 0 : mark);
  const auto rest = scheme.empty() ? url : url.substr(mark + 3);
  const auto slash = std::min(rest.find('/'), rest.size());
  to.text("host", rest.substr(0, slash))
      .text("basePath", slash == rest.size() ? "/" : rest.substr(slash))
      .add("schemes", text_list({scheme.empty() ? "http" : scheme}));
}

} // namespace

statement rights_statement() {
  return {std::string{rights_sql}, {std::string{exposed_schema}}};
}

asker_rights rights_of(const rows& answer) {
  auto made = asker_rights{};
  const auto yes = [&](int row, int column) { return answer.text(row, column) == "t"; };
  for (auto row = 0; row < answer.size(); ++row) {
    const auto name = std::string{answer.text(row, 1)};
    const auto may = table_rights{yes(row, 2), yes(row, 3), yes(row, 4), yes(row, 5)};
    if (answer.text(row, 0) == "f") {
      if (may.select)
        made.functions.insert(name);
    } else if (may.select || may.insert || may.update || may.remove) {
      made.tables.emplace(name, may);
    }
  }
  return made;
}

std::string openapi_of(const rest_schema& schema, const asker_rights& rights,
                       std::string_view url) {
  auto paths = object();
  auto definitions = object();
  auto shared = shared_parameters();
  paths.add("/", root_path());
  for (const auto& [name, may] : rights.tables)
    if (const auto* table = schema.table(name)) {
      paths.add("/" + name, path_of(*table, may));
      definitions.add(name, definition_of(schema, *table));
      put_parameters(shared, *table);
    }
  for (const auto& name : rights.functions)
    if (const auto found = schema.functions.find(name); found != schema.functions.end())
      paths.add("/rpc/" + name, path_of(found->second.front()));
  auto made = object();
  made.text("swagger", "2.0")
      .add("info", object()
                       .text("title", "Jessica REST API")
                       .text("description", "Tables, views and functions of the schema "
                                            "public that the asker may use")
                       .text("version", std::to_string(schema.version))
                       .done());
  put_place(made, url);
  return made.add("consumes", text_list({"application/json"}))
      .add("produces", text_list({"application/json",
                                  "application/vnd.pgrst.object+json", "text/csv"}))
      .add("paths", paths.done())
      .add("definitions", definitions.done())
      .add("parameters", shared.done())
      .done();
}

} // namespace jessica::storage
