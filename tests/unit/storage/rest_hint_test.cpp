#include "storage/rest_hint.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::storage {
namespace {

[[nodiscard]] schema_table table(std::string name, std::vector<std::string> columns) {
  auto made = schema_table{};
  made.name = std::move(name);
  for (auto& column : columns)
    made.columns.push_back({std::move(column), "text", ""});
  return made;
}

[[nodiscard]] rest_schema library() {
  auto made = rest_schema{};
  for (auto& one :
       {table("books", {"id", "title", "code", "mode"}), table("authors", {})})
    made.tables[one.name] = one;
  auto relation = relationship{};
  relation.from = "books";
  relation.to = "authors";
  made.relationships["books"].push_back(relation);
  auto lend = schema_function{};
  lend.name = "lend";
  lend.arguments = {{"reader", "int4"}, {"book", "int4"}};
  made.functions["lend"].push_back(lend);
  lend.arguments = {{"days", "int4"}};
  made.functions["lend"].push_back(lend);
  return made;
}

} // namespace

TEST_SUITE("storage.rest_hint") {
  TEST_CASE("edits are counted up to a bound") {
    CHECK(edits_between("", "", 3) == 0);
    CHECK(edits_between("books", "books", 3) == 0);
    CHECK(edits_between("books", "bookss", 3) == 1);
    CHECK(edits_between("boks", "books", 3) == 1);
    CHECK(edits_between("nope", "code", 3) == 2);
    CHECK(edits_between("kitten", "sitting", 3) == 3);
    CHECK(edits_between("abc", "xyz", 2) == 3);
    CHECK(edits_between("", "abc", 3) == 3);
    CHECK(edits_between("", "abcd", 3) == 4);
    CHECK(edits_between("abcdef", "badcfe", 3) == 4);
    CHECK(edits_between("ab", "b", 0) == 1);
    CHECK(edits_between("ab", "ab", 0) == 0);
  }

  TEST_CASE("a column is hinted at when it is near, two when they are equally near") {
    const auto schema = library();
    const auto& books = schema.tables.at("books");
    CHECK(column_hint(books, "titel") ==
          R"(Perhaps you meant to reference the column "books.title".)");
    CHECK(column_hint(books, "mede") ==
          R"(Perhaps you meant to reference the column "books.mode".)");
    CHECK(column_hint(books, "cede") ==
          R"(Perhaps you meant to reference the column "books.code".)");
    CHECK(column_hint(books, "xode") ==
          R"(Perhaps you meant to reference the column "books.code" or the column )"
          R"("books.mode".)");
    CHECK(column_hint(books, "unlike anything").empty());
    CHECK(column_hint(books, "x").empty());
    CHECK(column_hint(books, "").empty());
  }

  TEST_CASE("tables and relations are hinted at") {
    const auto schema = library();
    CHECK(table_hint(schema, "bookss") == "Perhaps you meant the table 'public.books'");
    CHECK(table_hint(schema, "nope").empty());
    CHECK(relation_hint(schema, "books", "author") ==
          "Perhaps you meant 'authors' instead of 'author'.");
    CHECK(
        relation_hint(schema, "books", "authors").empty()); // it is the hint that fails
    CHECK(relation_hint(schema, "authors", "book").empty());
  }

  TEST_CASE("a function is hinted at by its arguments, or by its name") {
    const auto schema = library();
    CHECK(function_hint(schema, "lend", {"day"}) ==
          "Perhaps you meant to call the function public.lend(book, reader)");
    CHECK(function_hint(schema, "lend", {"days", "x"}) ==
          "Perhaps you meant to call the function public.lend(days)");
    CHECK(function_hint(schema, "lent", {}) ==
          "Perhaps you meant to call the function public.lend");
    CHECK(function_hint(schema, "nothing", {}).empty());
  }
}

} // namespace jessica::storage
