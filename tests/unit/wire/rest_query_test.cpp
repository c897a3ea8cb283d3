#include "wire/rest_query.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {
namespace {

[[nodiscard]] result<rest_query> read(std::string_view url, bool call = false) {
  const auto parameters = decode_query(url);
  REQUIRE(parameters);
  return read_query(*parameters, call);
}

[[nodiscard]] selection selected(std::string_view url) {
  auto query = read(url);
  REQUIRE_MESSAGE(query, url);
  return std::move(query->what);
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
  const auto what = selected(url);
  REQUIRE(what.conditions.size() == 1);
  REQUIRE(what.conditions.front().is == condition::kind::filter);
  return what.conditions.front().filter;
}

/// A path as the dialect writes it.
[[nodiscard]] std::string shown(const column_path& path) {
  auto text = path.column;
  for (const auto& step : path.steps)
    text += (step.as_text ? "->>" : "->") + (step.index ? "#" + step.key : step.key);
  return text;
}

/// A tree with its operands in brackets.
[[nodiscard]] std::string shown(const condition& what) {
  if (what.is == condition::kind::filter) {
    auto text = shown(what.filter.what) + (what.filter.negated ? " not" : "");
    for (const auto& value : what.filter.values)
      text += " [" + value + "]";
    return text;
  }
  auto text = std::string{what.negated ? "not " : ""} +
              (what.is == condition::kind::all ? "and(" : "or(");
  for (const auto& part : what.parts)
    text += (text.ends_with('(') ? "" : "; ") + shown(part);
  return text + ")";
}

[[nodiscard]] std::string tree(std::string_view url) {
  const auto what = selected(url);
  REQUIRE(what.conditions.size() == 1);
  return shown(what.conditions.front());
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

  TEST_CASE("a bare table asks for all columns and rows") {
    const auto what = selected("");
    REQUIRE(what.columns.size() == 1);
    CHECK(what.columns.front().what.column == "*");
    CHECK(what.embedded.empty());
    CHECK(what.conditions.empty());
    CHECK(what.order.empty());
    CHECK_FALSE(what.limit);
    CHECK(what.offset == 0);
    CHECK(selected("select=").columns.size() == 1);
    CHECK(selected("select=*").columns.size() == 1);
  }

  TEST_CASE("select reads columns, aliases, casts and quoted names") {
    const auto what = selected(
        "select=id,when:created_at::text,%22odd%20%5C%22,name%22, my col ,x::int8,*");
    REQUIRE(what.columns.size() == 6);
    CHECK(what.columns[0].what.column == "id");
    CHECK(what.columns[1].what.column == "created_at");
    CHECK(what.columns[1].alias == "when");
    CHECK(what.columns[1].cast == "text");
    CHECK(what.columns[2].what.column == "odd \",name");
    CHECK(what.columns[3].what.column == "my col");
    CHECK(what.columns[4].cast == "int8");
    CHECK(what.columns[4].alias.empty());
    CHECK(what.columns[5].what.column == "*");
  }

  TEST_CASE("JSON paths have keys, indexes and an end as text") {
    const auto what = selected(
        "select=a->b->>c,x:d->0->-1::int,e->>%22f,g.h%22,i->2x,j->99999999999");
    REQUIRE(what.columns.size() == 5);
    CHECK(shown(what.columns[0].what) == "a->b->>c");
    CHECK(shown(what.columns[1].what) == "d->#0->#-1");
    CHECK(what.columns[1].alias == "x");
    CHECK(what.columns[1].cast == "int");
    CHECK(shown(what.columns[2].what) == "e->>f,g.h");
    CHECK(shown(what.columns[3].what) == "i->2x");
    CHECK(shown(what.columns[4].what) == "j->99999999999");
    CHECK(shown(only_filter("m->>k=eq.v").what) == "m->>k");
    CHECK(shown(selected("order=m->k->0.desc").order[0].what) == "m->k->#0");
  }

  TEST_CASE("a select that cannot be read is PGRST100") {
    for (const auto* bad :
         {"select=id,",       "select=,id",          "select=a:b:c",   "select=a::",
          "select=a::te;xt",  "select=a::text::int", "select=%22a",    "select=%22%22",
          "select=a:",        "select=x:*",          "select=*::text", "select=a.b",
          "select=a;b",       "select=a->",          "select=a->->b",  "select=a::b c",
          "select=a),b",      "select=r(",           "select=r(a",     "select=r(a))",
          "select=r!",        "select=r!(a)",        "select=r!x",     "select=...r",
          "select=...x:r(a)", "select=r(a,)",        "select=->a"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
    }
  }

  TEST_CASE("embedded relations have aliases, hints, joins and columns of their own") {
    const auto what =
        selected("select=id,rel(name, x:y),a:b!fk!inner(*),...c!left(d),e()");
    CHECK(what.columns.size() == 1);
    REQUIRE(what.embedded.size() == 4);
    CHECK(what.embedded[0].relation == "rel");
    CHECK(what.embedded[0].name() == "rel");
    CHECK(what.embedded[0].of.columns.size() == 2);
    CHECK_FALSE(what.embedded[0].inner);
    CHECK(what.embedded[1].name() == "a");
    CHECK(what.embedded[1].relation == "b");
    CHECK(what.embedded[1].hint == "fk");
    CHECK(what.embedded[1].inner);
    CHECK(what.embedded[2].spread);
    CHECK(what.embedded[2].hint.empty());
    CHECK(what.embedded[3].of.columns.empty());
    const auto nested = selected("select=a(b(c(d)),e)");
    CHECK(nested.columns.empty());
    CHECK(nested.embedded[0].of.embedded[0].of.embedded[0].relation == "c");
    CHECK(nested.embedded[0].of.columns[0].what.column == "e");
  }

  TEST_CASE("what nests without end is refused") {
    auto select = std::string{"select="};
    auto logic = std::string{"or="};
    for (auto i = 0; i < 2000; ++i) {
      select += "a(";
      logic += "(or";
    }
    CHECK(reason(select) == "PGRST100");
    CHECK(reason(logic) == "PGRST100");
  }

  TEST_CASE("aggregates are refused") {
    for (const auto* bad : {"select=count()", "select=id.sum()", "select=n:count()",
                            "select=n:a.max()::text", "select=r(count())"})
      CHECK(reason(bad) == "PGRST123");
  }

  TEST_CASE("each comparison is read with its value as it came") {
    const auto check = [](std::string_view url, comparison op, const texts& values) {
      CAPTURE(url);
      const auto filter = only_filter(url);
      CHECK(filter.what.column == "a");
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
    check("a=match.%5Ex*", comparison::match, {"^x*"});
    check("a=imatch.x", comparison::imatch, {"x"});
    check("a=is.null", comparison::is, {"null"});
    check("a=is.NOT_NULL", comparison::is, {"not_null"});
    check("a=isdistinct.1", comparison::isdistinct, {"1"});
    check("a=cs.{1,2}", comparison::cs, {"{1,2}"});
    check("a=cd.%5B1,2)", comparison::cd, {"[1,2)"});
    check("a=ov.{x}", comparison::ov, {"{x}"});
    check("a=sl.x", comparison::sl, {"x"});
    check("a=sr.x", comparison::sr, {"x"});
    check("a=nxr.x", comparison::nxr, {"x"});
    check("a=nxl.x", comparison::nxl, {"x"});
    check("a=adj.x", comparison::adj, {"x"});
    check("a=fts.x%20%26%20y", comparison::fts, {"x & y"});
    check("a=plfts.x", comparison::plfts, {"x"});
    check("a=phfts.x", comparison::phfts, {"x"});
    check("a=wfts.x", comparison::wfts, {"x"});
  }

  TEST_CASE("text searches name a configuration, comparisons a quantifier") {
    CHECK(only_filter("a=fts(german).x").config == "german");
    CHECK(only_filter("a=fts.x").config.empty());
    const auto any = only_filter("a=not.eq(any).{1,2}");
    CHECK(any.over == quantifier::any);
    CHECK(any.negated);
    CHECK(any.values == texts{"{1,2}"});
    const auto all = only_filter("a=like(all).{*x,y*}");
    CHECK(all.over == quantifier::all);
    CHECK(all.values == texts{"{%x,y%}"});
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
    // The client quotes what holds commas and parentheses, and escapes nothing.
    CHECK(items("(%22A%20%22b%22%20(c)%22,%22x(y)%22)") ==
          texts{"A \"b\" (c)", "x(y)"});
    CHECK(items("(%22a%22b,c)") == texts{"\"a\"b", "c"});
    CHECK(items("(a,%22b,c%22,d%22e)") == texts{"a", "b,c", "d\"e"});
    CHECK(items("(%22x)y%22,%22q%5C%22r%5C%5C%22)") == texts{"x)y", "q\"r\\"});
    CHECK(items("(%22a%22b)") == texts{"\"a\"b"});
  }

  TEST_CASE("filters on one column add up and keep their order") {
    const auto what = selected("n=gte.1&n=lt.9&role=eq.user");
    REQUIRE(what.conditions.size() == 3);
    CHECK(what.conditions[0].filter.op == comparison::gte);
    CHECK(what.conditions[1].filter.op == comparison::lt);
    CHECK(what.conditions[2].filter.what.column == "role");
  }

  TEST_CASE("a filter that cannot be read is PGRST100 and shows itself") {
    for (const auto* bad : {"a=1",        "a=",
                            "a=eq",       "a=foo.1",
                            "a=not.1",    "a=not.not.eq.1",
                            "a=is.maybe", "a=in.1,2",
                            "a=in.(a",    "a=in.(a)b)",
                            "=eq.1",      "%22a=eq.1",
                            "a;b=eq.1",   "a=foo(any).1",
                            "a=.x",       "a=neq(any).{1}",
                            "a=fts().x",  "a=eq(some).1",
                            "a=eq(any.1", "a->=eq.1",
                            "a(b)=eq.1"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
      CHECK(message(bad).contains("failed to parse"));
    }
    CHECK(message("a=foo.1") ==
          "\"failed to parse filter (foo.1)\" (line 1, column 1)");
  }

  TEST_CASE("logic trees nest, negate, quote and take lists and arrays whole") {
    CHECK(tree("or=(a.eq.1,b.gt.2)") == "or(a [1]; b [2])");
    CHECK(tree("and=(a.eq.1,or(b.is.null,not.and(c.eq.2,d.not.eq.3)))") ==
          "and(a [1]; or(b [null]; not and(c [2]; d not [3])))");
    CHECK(tree("not.or=(a.eq.1)") == "not or(a [1])");
    CHECK(tree("or=(a.eq.%22x,)%5C%22%22,b.eq.y)") == "or(a [x,)\"]; b [y])");
    CHECK(tree("or=(a.in.(1,%22x)y%22,2),b.cs.{1,2})") ==
          "or(a [1] [x)y] [2]; b [{1,2}])");
    CHECK(tree("or=(a->b->>c.eq.1.5,d.fts(english).x)") == "or(a->b->>c [1.5]; d [x])");
    CHECK(tree("or=( a.eq.1, b.eq.2)") == "or(a [1]; b [2])");
    CHECK(tree("and=(%22or%22.eq.1)") == "and(or [1])");
    CHECK(tree("or=(a.like.*x)") == "or(a [%x])");
    CHECK(tree("or=(a.eq.)") == "or(a [])");
  }

  TEST_CASE("a tree that cannot be read is PGRST100") {
    for (const auto* bad :
         {"or=a.eq.1", "or=(a.eq.1", "or=()", "or=(a)", "or=(a.eq.1)b", "or=(a.foo.1)",
          "or=(a.is.x)", "or=(a.cs.{1)", "or=(and)", "or=(,)", "and=(a.eq.1,)"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
    }
  }

  TEST_CASE("filters, orders and limits go to the embedded relation they name") {
    const auto what = selected(
        "select=id,x:rel(a,deep(b))&x.a=eq.1&x.order=a.desc&x.limit=2&x.offset=1"
        "&x.or=(a.eq.1)&x.not.and=(a.eq.2)&x.deep.b=gt.3&x.deep.order=b");
    CHECK(what.conditions.empty());
    const auto& rel = what.embedded[0].of;
    REQUIRE(rel.conditions.size() == 3);
    CHECK(shown(rel.conditions[2]) == "not and(a [2])");
    CHECK(rel.order[0].descending);
    CHECK(rel.limit == 2);
    CHECK(rel.offset == 1);
    CHECK(rel.embedded[0].of.conditions.size() == 1);
    CHECK(rel.embedded[0].of.order.size() == 1);
  }

  TEST_CASE("an embedding goes by its alias, and by its relation's name") {
    const auto what = selected("select=x:rel(a),rel:other(b)&x.a=eq.1&rel.b=eq.2");
    CHECK(what.embedded[0].of.conditions.size() == 1);
    CHECK(what.embedded[1].of.conditions.size() == 1); // an alias comes first
    const auto plain = selected("select=x:rel(a)&rel.a=eq.1");
    CHECK(plain.embedded[0].of.conditions.size() == 1);
  }

  TEST_CASE("what is about a relation that is not embedded is PGRST108") {
    for (const auto* bad : {"rel.a=eq.1", "rel.order=a", "rel.limit=1",
                            "rel.or=(a.eq.1)", "select=x:y(a)&rel.a=eq.1"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST108");
      CHECK(message(bad) == "'rel' is not an embedded resource in this request");
      CHECK(read(bad).error().sql->hint ==
            "Verify that 'rel' is included in the 'select' query parameter.");
    }
  }

  TEST_CASE("quoted column names may hold anything, even reserved words") {
    CHECK(only_filter("%22a.b(%22=eq.1").what.column == "a.b(");
    CHECK(only_filter("%22order%22=eq.1").what.column == "order");
  }

  TEST_CASE("order reads direction, nulls and related columns") {
    const auto what = selected("order=a,b.asc,c.desc,d.nullsfirst,e.desc.nullslast,"
                               "%22f.g%22.desc,rel(h).desc");
    REQUIRE(what.order.size() == 7);
    CHECK_FALSE(what.order[0].descending);
    CHECK_FALSE(what.order[0].nulls_first);
    CHECK(what.order[2].descending);
    CHECK(what.order[3].nulls_first == true);
    CHECK(what.order[4].nulls_first == false);
    CHECK(what.order[5].what.column == "f.g");
    CHECK(what.order[6].relation == "rel");
    CHECK(what.order[6].what.column == "h");
    CHECK(what.order[6].descending);
  }

  TEST_CASE("an order that cannot be read is PGRST100") {
    for (const auto* bad : {"order=a.up", "order=a.desc.asc", "order=a,", "order=.desc",
                            "order=a.nullsfirst.desc", "order=a;b", "order=r(a",
                            "order=r()", "order=a->"}) {
      CAPTURE(bad);
      CHECK(reason(bad) == "PGRST100");
    }
  }

  TEST_CASE("limit and offset are numbers or ignored; a limit is never negative") {
    const auto what = selected("limit=10&offset=20");
    CHECK(what.limit == 10);
    CHECK(what.offset == 20);
    CHECK(selected("limit=0").limit == 0);
    CHECK_FALSE(selected("limit=ten&offset=1x").limit);
    const auto refused = read("limit=-1");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().what == "Requested range not satisfiable");
    CHECK(refused.error().sql->sqlstate == "PGRST103");
    CHECK(refused.error().sql->detail ==
          "Limit should be greater than or equal to zero.");
    CHECK(selected("offset=-1").offset == 0);
    CHECK(selected("offset=99999999999999999999").offset ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(selected("offset=-99999999999999999999").offset == 0);
  }

  TEST_CASE("columns and on_conflict are lists of names, never filters") {
    const auto query = read("columns=%22a%22,b,%22c,d%22&on_conflict=id, x");
    REQUIRE(query);
    CHECK(query->columns == texts{"a", "b", "c,d"});
    CHECK(query->on_conflict == texts{"id", "x"});
    CHECK(query->what.conditions.empty());
    CHECK(reason("columns=a,,b") == "PGRST100");
    CHECK(reason("on_conflict=a;b") == "PGRST100");
  }

  TEST_CASE("of a call by GET what is no filter is an argument") {
    const auto query = read("a=1&b=eq.2&a=x.y&c={1,2}&limit=3&n=not.is.null", true);
    REQUIRE(query);
    CHECK(query->arguments ==
          query_parameters{{"a", "1"}, {"a", "x.y"}, {"c", "{1,2}"}});
    CHECK(query->what.conditions.size() == 2);
    CHECK(query->what.limit == 3);
  }

  TEST_CASE("a Range header narrows the window") {
    const auto window = [](std::string_view url, std::string_view range) {
      auto what = selected(url);
      REQUIRE(narrow(what, range));
      return std::pair{what.offset, what.limit.value_or(-1)};
    };
    using rows = std::pair<std::int64_t, std::int64_t>;
    CHECK(window("", "0-9") == rows{0, 10});
    CHECK(window("", "items=5-5") == rows{5, 1});
    CHECK(window("", "3-") == rows{3, -1});
    CHECK(window("limit=2&offset=1", "0-9") == rows{1, 2});
    CHECK(window("limit=10&offset=1", "4-5") == rows{4, 2});
    CHECK(window("limit=2", "5-9") == rows{5, 0});
    CHECK(window("limit=2", "nonsense") == rows{0, 2});
    CHECK(window("limit=2", "-5") == rows{0, 2});
    CHECK(window("", "0-9223372036854775807") == rows{0, -1});
    CHECK(window("offset=9223372036854775807&limit=9", "0-9223372036854775807") ==
          rows{std::numeric_limits<std::int64_t>::max(), 9});
    auto what = selection{};
    const auto refused = narrow(what, "5-1");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "PGRST103");
    CHECK(refused.error().what == "Requested range not satisfiable");
    CHECK(refused.error().sql->detail ==
          "The lower boundary must be lower than or equal "
          "to the upper boundary in the Range header.");
  }

  TEST_CASE("Content-Range tells the rows and the total") {
    CHECK(content_range(0, 0, {}) == "*/*");
    CHECK(content_range(0, 0, 0) == "*/0");
    CHECK(content_range(0, 3, {}) == "0-2/*");
    CHECK(content_range(0, 3, 3) == "0-2/3");
    CHECK(content_range(10, 10, 42) == "10-19/42");
    CHECK(content_range(10, 0, 5) == "*/5");
    CHECK(content_range(std::numeric_limits<std::int64_t>::max(), 1, {}) ==
          "9223372036854775807-9223372036854775807/*");
  }
}

} // namespace jessica::wire
