#include "storage/rest_openapi.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE("storage.rest_openapi") {
  using namespace jessica::storage;

  static rest_schema some_schema() {
    auto made = rest_schema{};
    made.version = 3;
    auto rooms = schema_table{"rooms",
                              {{"id", "uuid", "gen_random_uuid()", true, {}},
                               {"owner", "bigint", "", true, "whose \"room\" it is"},
                               {"tags", "text[]", "", false, {}},
                               {"meta", "jsonb", "", false, {}}},
                              {"id"},
                              {},
                              "Where people meet"};
    made.tables.emplace("rooms", rooms);
    auto belongs = relationship{};
    belongs.from = "rooms";
    belongs.to = "people";
    belongs.columns = {{"owner", "id"}};
    made.relationships["rooms"].push_back(belongs);
    auto add = schema_function{};
    add.name = "add";
    add.arguments = {{"a", "integer", false, false}, {"b", "numeric", true, false}};
    add.volatile_ = false;
    made.functions["add"].push_back(add);
    auto go = schema_function{};
    go.name = "go";
    go.gives = schema_function::result::nothing;
    made.functions["go"].push_back(go);
    return made;
  }

  TEST_CASE("only what the asker may use is there, with the methods he may use") {
    auto rights = asker_rights{};
    rights.tables["rooms"] = {.select = true, .remove = true};
    rights.tables["gone"] = {.select = true};
    rights.functions = {"add", "vanished"};
    const auto text = openapi_of(some_schema(), rights, "https://x.example/rest/v1/");
    CHECK(text.starts_with(R"({"swagger":"2.0","info":)"));
    CHECK(text.contains(
        R"("host":"x.example","basePath":"/rest/v1/","schemes":["https"])"));
    CHECK(text.contains(R"("/rooms":{"get":{"tags":["rooms"],)"));
    CHECK(text.contains(R"("delete":)"));
    CHECK_FALSE(text.contains(R"("patch":)"));
    CHECK_FALSE(text.contains("gone"));
    CHECK_FALSE(text.contains("vanished"));
    CHECK_FALSE(text.contains("/rpc/go"));
    CHECK(openapi_of(some_schema(), {}, "").contains(R"("definitions":{})"));
  }

  TEST_CASE("a column tells its type, default, keys and comment") {
    auto rights = asker_rights{};
    rights.tables["rooms"] = {.select = true};
    const auto text = openapi_of(some_schema(), rights, "http://x");
    CHECK(text.contains(
        R"("description":"Where people meet","required":["id","owner"])"));
    CHECK(text.contains(R"("id":{"type":"string","format":"uuid",)"
                        R"x("default":"gen_random_uuid()",)x"
                        R"("description":"Note:\u000aThis is a Primary Key.<pk/>"})"));
    CHECK(text.contains(
        R"("owner":{"type":"integer","format":"bigint",)"
        R"("description":"whose \"room\" it is\u000a\u000aNote:\u000aThis is a )"
        R"(Foreign Key to `people.id`.<fk table='people' )"
        R"(column='id'/>"})"));
    CHECK(text.contains(R"("tags":{"type":"array","items":{"type":"string",)"
                        R"("format":"text"},"format":"text[]"})"));
    CHECK(text.contains(R"("meta":{"format":"jsonb"})"));
    CHECK(text.contains(R"("basePath":"/")"));
  }

  TEST_CASE("a function that cannot write can be read, with its arguments") {
    auto rights = asker_rights{};
    rights.functions = {"add", "go"};
    const auto text = openapi_of(some_schema(), rights, "http://x/");
    CHECK(text.contains(R"("/rpc/add":{"get":{"tags":["(rpc) add"],"parameters":[)"
                        R"({"name":"a","in":"query","required":true,)"
                        R"("type":"integer","format":"integer"})"));
    CHECK(text.contains(R"("schema":{"required":["a"],"type":"object")"));
    CHECK(text.contains(R"("/rpc/go":{"post":)"));
  }
}
