#include "storage/rest_openapi_pieces.hpp"

#include <algorithm>
#include <array>
#include <format>

namespace jessica::storage {
namespace {

/// The comment, and what the keys say, as generators of client code look for it.
[[nodiscard]] std::string note_of(const rest_schema& schema, const schema_table& table,
                                  const schema_column& column) {
  auto note = column.note;
  const auto add = [&](std::string_view text) {
    note.append(note.empty()           ? "Note:\n"
                : note.ends_with("/>") ? "\n"
                                       : "\n\nNote:\n")
        .append(text);
  };
  if (std::ranges::contains(table.key, column.name))
    add("This is a Primary Key.<pk/>");
  const auto related = schema.relationships.find(table.name);
  if (related == schema.relationships.end())
    return note;
  for (const auto& one : related->second)
    if (one.to_one() && one.columns.size() == 1 &&
        one.columns.front().from == column.name)
      add(std::format("This is a Foreign Key to `{0}.{1}`.<fk table='{0}' "
                      "column='{1}'/>",
                      one.to, one.columns.front().to));
  return note;
}

} // namespace

std::string text_list(std::span<const std::string_view> of) {
  auto all = json_list{'['};
  for (const auto& one : of)
    all.add(json_text(one));
  return all.done();
}
std::string text_list(const std::vector<std::string>& of) {
  auto all = json_list{'['};
  for (const auto& one : of)
    all.add(json_text(one));
  return all.done();
}
std::string text_list(std::initializer_list<std::string_view> of) {
  return text_list(std::span{of.begin(), of.size()});
}

std::string reference(std::string_view kind, std::string_view name) {
  return object().text("$ref", std::format("#/{}/{}", kind, name)).done();
}

std::string_view json_type(std::string_view type) {
  constexpr auto integers =
      std::to_array<std::string_view>({"smallint", "integer", "bigint"});
  if (type.ends_with("[]"))
    return "array";
  if (std::ranges::contains(integers, type))
    return "integer";
  if (type == "real" || type == "double precision" || type.starts_with("numeric"))
    return "number";
  if (type == "boolean")
    return "boolean";
  return type == "json" || type == "jsonb" ? "" : "string";
}

void put_type(json_list& to, std::string_view type) {
  if (const auto word = json_type(type); !word.empty())
    to.text("type", word);
  if (type.ends_with("[]")) {
    auto item = object();
    put_type(item, type.substr(0, type.size() - 2));
    to.add("items", item.done());
  }
  to.text("format", type);
}

std::string definition_of(const rest_schema& schema, const schema_table& table) {
  auto required = std::vector<std::string>{};
  auto properties = object();
  for (const auto& column : table.columns) {
    if (column.required)
      required.push_back(column.name);
    auto one = object();
    put_type(one, column.type);
    if (!column.fallback.empty())
      one.text("default", column.fallback);
    if (const auto note = note_of(schema, table, column); !note.empty())
      one.text("description", note);
    properties.add(column.name, one.done());
  }
  auto made = object();
  if (!table.note.empty())
    made.text("description", table.note);
  if (!required.empty())
    made.add("required", text_list(required));
  return made.add("properties", properties.done()).text("type", "object").done();
}

std::string answers(std::string_view status, std::string_view phrase) {
  return object().add(status, object().text("description", phrase).done()).done();
}

} // namespace jessica::storage
