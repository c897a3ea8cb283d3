#include "storage/rest_relations.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

[[nodiscard]] table_face face(std::string name, std::vector<std::string> columns) {
  auto made = table_face{std::move(name), {}};
  for (auto& column : columns)
    made.columns.emplace(column, column);
  return made;
}

/// films -> people twice; films <-> actors through roles; a view on films.
[[nodiscard]] rest_schema films() {
  auto faces = faces_by_table{
      {1,
       {face("films", {"id", "director", "writer"}), {"shown", {{"director", "d"}}}}},
      {2, {face("people", {"id", "boss"})}},
      {3, {face("roles", {"film", "actor"})}},
      {4, {face("posters", {"film"})}}};
  auto made = rest_schema{};
  for (const auto* name : {"films", "people", "shown", "posters"})
    made.tables[name].name = name;
  made.tables["roles"] = {"roles", {}, {"film", "actor"}, {}};
  const auto keys =
      std::vector<foreign_key>{{"films_director", 1, 2, {{"director", "id"}}, false},
                               {"films_writer", 1, 2, {{"writer", "id"}}, false},
                               {"people_boss", 2, 2, {{"boss", "id"}}, false},
                               {"roles_film", 3, 1, {{"film", "id"}}, false},
                               {"roles_actor", 3, 2, {{"actor", "id"}}, false},
                               {"posters_film", 4, 1, {{"film", "id"}}, true},
                               {"hidden", 9, 1, {{"x", "id"}}, false}};
  for (auto& one : relationships_of(keys, faces, made.tables))
    made.relationships[one.from].push_back(one);
  return made;
}

/// "constraint cardinality", or the code of the refusal.
[[nodiscard]] std::string found(std::string_view from, std::string_view target,
                                std::string_view hint = {}) {
  static const auto schema = films();
  const auto one = find_relationship(schema, from, target, hint);
  if (!one)
    return one.error().reason;
  static constexpr auto words = std::array{"n-1", "1-1", "1-n", "n-n"};
  return (*one)->constraint + " " + words[static_cast<std::size_t>((*one)->how)];
}

} // namespace

TEST_SUITE("storage.rest_relations") {
  TEST_CASE("a foreign key relates both ways") {
    CHECK(found("roles", "films") == "roles_film n-1");
    CHECK(found("films", "roles") == "roles_film 1-n");
    CHECK(found("posters", "films") == "posters_film 1-1");
    CHECK(found("films", "posters") == "posters_film 1-1");
  }

  TEST_CASE("several need a hint: a key, a column, a junction") {
    CHECK(found("films", "people") == "PGRST201");
    CHECK(found("films", "people", "films_writer") == "films_writer n-1");
    CHECK(found("films", "people", "director") == "films_director n-1");
    CHECK(found("films", "people", "roles") == "roles_film n-n");
    CHECK(found("people", "films", "director") == "films_director 1-n");
    CHECK(found("people", "films", "roles") == "roles_actor n-n");
    CHECK(found("films", "people", "nonsense") == "PGRST200");
  }

  TEST_CASE("a key or its column may stand for the table") {
    CHECK(found("films", "films_writer") == "films_writer n-1");
    CHECK(found("films", "director") == "films_director n-1");
    CHECK(found("people", "films_writer") == "films_writer 1-n");
    CHECK(found("people", "director") == "PGRST200");
  }

  TEST_CASE("of a table's relation to itself the column goes there, the hint back") {
    CHECK(found("people", "boss") == "people_boss n-1");
    CHECK(found("people", "people", "boss") == "people_boss 1-n");
    CHECK(found("people", "people_boss") == "people_boss n-1");
  }

  TEST_CASE("a view shows the keys whose columns it shows") {
    CHECK(found("shown", "people") == "films_director n-1");
    CHECK(found("people", "shown") == "films_director 1-n");
    CHECK(found("shown", "posters") == "PGRST200");
  }

  TEST_CASE("tables that are not exposed relate to nothing") {
    CHECK(found("hidden", "films") == "PGRST200");
    CHECK(found("films", "hidden") == "PGRST200");
  }

  TEST_CASE("an ambiguity lists its choices as JSON") {
    const auto schema = films();
    const auto one = find_relationship(schema, "films", "people", "");
    REQUIRE_FALSE(one);
    const auto& fault = *one.error().sql;
    CHECK(fault.detail.starts_with(
        R"j([{"cardinality":"many-to-one","embedding":"films with people",)j"
        R"j("relationship":"films_director using films(director) and people(id)"})j"));
    CHECK(fault.detail.contains(
        R"j("relationship":"roles using roles_film(film) and roles_actor(actor)")j"));
    CHECK(fault.hint.contains("'people!films_director', 'people!films_writer'"));
  }
}

} // namespace jessica::storage
