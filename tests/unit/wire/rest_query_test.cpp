#include "wire/rest_query.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {
namespace {

[[nodiscard]] result<table_query> read(std::string_view url,
                                       std::string_view prefer = {}) {
  const auto parameters = decode_query(url);
  REQUIRE(parameters);
  return read_table_query("messages", *parameters, prefer);
}

/// The reason of the refusal, empty when it was read.
[[nodiscard]] std::string reason(std::string_view url) {
  const auto query = read(url);
  if (query)
    return {};
  CHECK(query.error().code == errc::invalid_input);
  return query.error().reason;
}

[[nodiscard]] std::string message(std::string_view url) {
  const auto query = read(url);
  return query ? std::string{} : query.error().what;
}

[[nodiscard]] column_filter only_filter(std::string_view url) {
  const auto query = read(url);
  REQUIRE(query);
  REQUIRE(query->filters.size() == 1);
  return query->filters.front();
}

using texts = std::vector<std::string>;

} // namespace

TEST_SUITE("wire.rest_query") {
  TEST_CASE("a query string is split and decoded in order") {
    const auto read = decode_query("a=1&b=x%20y+z%2B&&c&d=%C3%A9&=v");
    REQUIRE(read);
    const auto want = query_parameters{
        {"a", "1"}, {"b", "x y z+"}, {"c", ""}, {"d", "\xc3\xa9"}, {"", "v"}};
    CHECK(*read == want);
    CHECK(decode_query("")->empty());
    CHECK(decode_query("a=b=c")->front().second == "b=c");
  }

  TEST_CASE("broken escapes and bytes that are no text are refused") {
    for (const auto* bad : {"a=%", "a=%4", "a=%zz", "%0g=1", "a=%ff", "a=%c3",
                            "a=%c0%af", "a=%ed%a0%80", "a=%f4%90%80%80", "a=%00",
                            "a=%e0%80%80", "a=%f0%8f%bf%bf", "a=%80", "a=\xff"}) {
      CAPTURE(bad);
      const auto read = decode_query(bad);
      REQUIRE_FALSE(read);
      CHECK(read.error().code == errc::invalid_input);
    }
  }

  TEST_CASE("characters of two, three and four bytes pass") {
    const auto read =
        decode_query("a=%C2%80%E2%82%AC%ED%9F%BF%F0%9F%98%80%F4%8F%BF%BF");
    CHECK(read.has_value());
  }

  TEST_CASE("a bare table asks for all columns and rows without a count") {
    const auto query = read("");
    REQUIRE(query);
    CHECK(query->schema == "public");
    CHECK(query->table == "messages");
    CHECK(query->columns.empty());
    CHECK(query->filters.empty());
    CHECK_FALSE(query->limit);
    CHECK(query->offset == 0);
    CHECK(query->count == row_count::none);
  }

  TEST_CASE("select reads columns, aliases, casts and quoted names") {
    const auto query = read(
        "select=id,when:created_at::text,%22odd%20%5C%22,name%22, my col ,x::int8");
    REQUIRE(query);
    REQUIRE(query->columns.size() == 5);
    CHECK(query->columns[0].column == "id");
    CHECK(query->columns[1].column == "created_at");
    CHECK(query->columns[1].alias == "when");
    CHECK(query->columns[1].cast == "text");
    CHECK(query->columns[2].column == "odd \",name");
    CHECK(query->columns[3].column == "my col");
    CHECK(query->columns[4].column == "x");
    CHECK(query->columns[4].cast == "int8");
    CHECK(query->columns[4].alias.empty());
  }

  TEST_CASE("a lone star is all columns, one among others stays") {
    CHECK(read("select=*")->columns.empty());
    CHECK(read("select=")->columns.empty());
    const auto mixed = read("select=*,x:id");
    REQUIRE(mixed->columns.size() == 2);
    CHECK(mixed->columns[0].column == "*");
    CHECK(mixed->columns[1].alias == "x");
  }

  TEST_CASE("a select that cannot be read is PGRST100") {
    for (const auto* bad :
         {"select=id,", "select=,id", "select=a:b:c", "select=a::", "select=a::te;xt",
          "select=a::text::int", "select=%22a", "select=%22%22",
          "select=a:", "select=x:*", "select=*::text", "select=a.b", "select=a;b",
          "select=a->b", "select=a-%3E%3Eb", "select=a::b c", "select=a),b"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
    }
  }

  TEST_CASE("embedding is refused by the relation's name") {
    for (const auto* bad : {"select=id,rel(name)", "select=x:rel!hint!inner(a,b)",
                            "select=...rel(*)", "select=rel!left(a(b))"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST200");
      CHECK(message(bad) ==
            "Could not find a relationship between 'messages' and 'rel' "
            "in the schema cache");
    }
  }

  TEST_CASE("aggregates are refused") {
    for (const auto* bad : {"select=count()", "select=id.sum()", "select=n:count()",
                            "select=n:a.max()::text"})
      CHECK(reason(bad) == "PGRST123");
  }

  TEST_CASE("each comparison is read with its value as it came") {
    const auto check = [](std::string_view url, comparison op, const texts& values) {
      CAPTURE(url);
      const auto filter = only_filter(url);
      CHECK(filter.column == "a");
      CHECK(filter.op == op);
      CHECK_FALSE(filter.negated);
      CHECK(filter.values == values);
    };
    check("a=eq.1", comparison::eq, {"1"});
    check("a=eq.", comparison::eq, {""});
    check("a=eq.%22q%22.x", comparison::eq, {"\"q\".x"});
    check("a=neq.x", comparison::neq, {"x"});
    check("a=gt.1", comparison::gt, {"1"});
    check("a=gte.1", comparison::gte, {"1"});
    check("a=lt.1", comparison::lt, {"1"});
    check("a=lte.1", comparison::lte, {"1"});
    check("a=like.*x_*", comparison::like, {"%x_%"});
    check("a=ilike.%25X*", comparison::ilike, {"%X%"});
    check("a=is.null", comparison::is, {"null"});
    check("a=is.NOT_NULL", comparison::is, {"not_null"});
    check("a=is.unknown", comparison::is, {"unknown"});
  }

  TEST_CASE("not negates any comparison") {
    CHECK(only_filter("a=not.eq.1").negated);
    const auto filter = only_filter("a=not.in.(1,2)");
    CHECK(filter.negated);
    CHECK(filter.op == comparison::in);
    CHECK(only_filter("a=not.is.null").values == texts{"null"});
  }

  TEST_CASE("an in list knows quotes, also the ones that end nothing") {
    const auto items = [](std::string_view list) {
      return only_filter(std::string{"a=in."} + std::string{list}).values;
    };
    CHECK(items("(1,2,3)") == texts{"1", "2", "3"});
    CHECK(items("()") == texts{});
    CHECK(items("(%22%22)") == texts{""});
    CHECK(items("(,)") == texts{"", ""});
    CHECK(items("(a,%22b,c%22,d%22e)") == texts{"a", "b,c", "d\"e"});
    CHECK(items("(%22x)y%22,%22q%5C%22r%5C%5C%22)") == texts{"x)y", "q\"r\\"});
    CHECK(items("(%22a%22b)") == texts{"\"a\"b"});
  }

  TEST_CASE("filters on one column add up and keep their order") {
    const auto query = read("n=gte.1&n=lt.9&role=eq.user");
    REQUIRE(query->filters.size() == 3);
    CHECK(query->filters[0].op == comparison::gte);
    CHECK(query->filters[1].op == comparison::lt);
    CHECK(query->filters[2].column == "role");
  }

  TEST_CASE("a filter that cannot be read is PGRST100 and shows itself") {
    for (const auto* bad : {"a=1", "a=", "a=eq", "a=foo.1", "a=not.1", "a=not.not.eq.1",
                            "a=is.maybe", "a=in.1,2", "a=in.(a", "a=in.(a)b)", "=eq.1",
                            "%22a=eq.1", "a;b=eq.1", "a=foo(any).1", "a=.x"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
      CHECK(message(bad).contains("failed to parse"));
    }
    CHECK(message("a=foo.1") ==
          "\"failed to parse filter (foo.1)\" (line 1, column 1)");
  }

  TEST_CASE("operators that are not supported say so") {
    for (const auto* bad :
         {"a=cs.{1}", "a=cd.{1}", "a=ov.{1}", "a=fts.x", "a=fts(english).x", "a=wfts.x",
          "a=match.x", "a=isdistinct.1", "a=eq(any).{1}", "a=not.like(all).{x}",
          "a=sl.[1,2]", "a=adj.[1,2]"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
      CHECK(message(bad).contains("not supported"));
    }
  }

  TEST_CASE("logic trees and JSON paths say they are not supported") {
    for (const auto* bad :
         {"or=(a.eq.1,b.eq.2)", "and=(a.eq.1)", "not.or=(a.eq.1)", "not.and=(a.eq.1)",
          "meta-%3E%3Ek=eq.v", "order=meta->k.asc"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
      CHECK(message(bad).contains("not supported"));
    }
  }

  TEST_CASE("filters, orders and limits of relations are PGRST108") {
    for (const auto* bad : {"rel.a=eq.1", "rel.order=a", "rel.limit=1",
                            "rel.or=(a.eq.1)", "order=rel(a).desc"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST108");
      CHECK(message(bad) == "'rel' is not an embedded resource in this request");
    }
  }

  TEST_CASE("quoted column names may hold anything") {
    CHECK(only_filter("%22a.b(%22=eq.1").column == "a.b(");
  }

  TEST_CASE("order reads direction and nulls") {
    const auto query =
        read("order=a,b.asc,c.desc,d.nullsfirst,e.desc.nullslast,%22f.g%22.desc");
    REQUIRE(query);
    REQUIRE(query->order.size() == 6);
    CHECK_FALSE(query->order[0].descending);
    CHECK_FALSE(query->order[0].nulls_first);
    CHECK_FALSE(query->order[1].descending);
    CHECK(query->order[2].descending);
    CHECK(query->order[3].nulls_first == true);
    CHECK(query->order[4].descending);
    CHECK(query->order[4].nulls_first == false);
    CHECK(query->order[5].column == "f.g");
    CHECK(query->order[5].descending);
  }

  TEST_CASE("an order that cannot be read is PGRST100") {
    for (const auto* bad : {"order=a.up", "order=a.desc.asc", "order=a,", "order=.desc",
                            "order=a.nullsfirst.desc", "order=a;b"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
    }
  }

  TEST_CASE("limit and offset are numbers or ignored, never negative") {
    const auto query = read("limit=10&offset=20");
    CHECK(query->limit == 10);
    CHECK(query->offset == 20);
    CHECK(read("limit=0")->limit == 0);
    CHECK_FALSE(read("limit=ten&offset=1x")->limit);
    CHECK(read("offset=1x")->offset == 0);
    CHECK(reason("limit=-1") == "PGRST103");
    CHECK(reason("offset=-1") == "PGRST103");
    CHECK(read("offset=99999999999999999999")->offset ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(reason("offset=-99999999999999999999") == "PGRST103");
  }

  TEST_CASE("columns and on_conflict are never filters") {
    const auto query = read("columns=%22a%22&on_conflict=id");
    REQUIRE(query);
    CHECK(query->filters.empty());
  }

  TEST_CASE("the Prefer header asks for a count") {
    CHECK(read("", "count=exact")->count == row_count::exact);
    CHECK(read("", "return=minimal,  count=exact ")->count == row_count::exact);
    CHECK(read("", "count=planned")->count == row_count::exact);
    CHECK(read("", "return=representation,")->count == row_count::none);
    CHECK(read("", "xcount=exact, ,count=exactly")->count == row_count::none);
  }

  TEST_CASE("Content-Range tells the rows and the total") {
    auto asked = table_query{};
    CHECK(content_range(asked, {"[]", 0, {}}) == "*/*");
    CHECK(content_range(asked, {"[]", 0, 0}) == "*/0");
    CHECK(content_range(asked, {"[]", 3, {}}) == "0-2/*");
    CHECK(content_range(asked, {"[]", 3, 3}) == "0-2/3");
    asked.offset = 10;
    CHECK(content_range(asked, {"[]", 10, 42}) == "10-19/42");
    CHECK(content_range(asked, {"[]", 0, 5}) == "*/5");
    asked.offset = std::numeric_limits<std::int64_t>::max();
    CHECK(content_range(asked, {"[]", 1, {}}) ==
          "9223372036854775807-9223372036854775807/*");
  }
}

} // namespace jessica::wire
