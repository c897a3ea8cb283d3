#include "wire/change_json.hpp"
#include "wire/pg_json.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

TEST_SUITE_BEGIN("wire.change_json");

namespace jessica::wire {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

constexpr auto no_limit = std::size_t{1} << 20U;

struct printed {
  std::string_view type;
  std::string_view text;
  std::string_view json;
};

[[nodiscard]] std::string json_of(std::string_view type, std::string_view text) {
  auto out = std::string{"[ "}; // what stands before must survive
  append_json_value(out, type, text);
  REQUIRE(out.starts_with("[ "));
  return out.substr(2);
}

void check_all(std::span<const printed> cases) {
  for (const auto& [type, text, json] : cases) {
    CAPTURE(type);
    CAPTURE(text);
    CHECK(json_of(type, text) == json);
  }
}

[[nodiscard]] change_cell cell(std::string_view text) {
  return {change_cell::kind::text, text};
}
constexpr auto null = change_cell{change_cell::kind::null, {}};
constexpr auto unknown = change_cell{};

[[nodiscard]] std::vector<change_column> message_columns() {
  return {{"id", "int8", true}, {"content", "text", false}, {"meta", "jsonb", false}};
}

/// A change of public.messages at 2026-11-22 10:00:00.1239 UTC.
[[nodiscard]] row_change_view change_of(change_type type,
                                        std::span<const change_column> columns,
                                        std::span<const change_cell> record,
                                        std::span<const change_cell> old) {
  const auto day = std::chrono::sys_days{2026y / 11 / 22};
  return {.schema = "public",
          .table = "messages",
          .type = type,
          .committed = day + 10h + 123'900us,
          .columns = columns,
          .record = record,
          .old = old};
}

TEST_CASE("numbers are bare, but NaN and the infinities are strings") {
  check_all(std::array<printed, 18>{{
      {"int2", "-7", "-7"},
      {"int4", "0", "0"},
      {"int8", "9223372036854775807", "9223372036854775807"},
      {"oid", "4294967295", "4294967295"},
      {"numeric", "0.10", "0.10"},
      {"numeric", "-123456789012345678901234567890.5",
       "-123456789012345678901234567890.5"},
      {"float8", "1e+20", "1e+20"},
      {"float8", "1.5e-07", "1.5e-07"},
      {"float4", "-0", "-0"},
      {"float8", "NaN", R"("NaN")"},
      {"float8", "Infinity", R"("Infinity")"},
      {"numeric", "-Infinity", R"("-Infinity")"},
      {"int4", "", R"("")"},
      {"int4", "01", R"("01")"},
      {"float8", ".5", R"(".5")"},
      {"float8", "1.", R"("1.")"},
      {"float8", "1e", R"("1e")"},
      {"int4", "1,2", R"("1,2")"},
  }});
}

TEST_CASE("booleans are booleans and json stays as it is") {
  check_all(std::array<printed, 6>{{
      {"bool", "t", "true"},
      {"bool", "f", "false"},
      {"bool", "maybe", R"("maybe")"},
      {"jsonb", R"({"a": [1, null]})", R"({"a": [1, null]})"},
      {"json", "{\n \"a\" : 1}", "{\n \"a\" : 1}"},
      {"json", "", R"("")"},
  }});
}

TEST_CASE("timestamps get a T and an offset with minutes") {
  check_all(std::array<printed, 10>{{
      {"timestamp", "2026-11-22 10:00:00.5", R"("2026-11-22T10:00:00.5")"},
      {"timestamptz", "2026-11-22 10:00:00.5+00", R"("2026-11-22T10:00:00.5+00:00")"},
      {"timestamptz", "2026-11-22 10:00:00-03", R"("2026-11-22T10:00:00-03:00")"},
      {"timestamptz", "2026-11-22 10:00:00+05:30", R"("2026-11-22T10:00:00+05:30")"},
      {"timestamptz", "12026-11-22 10:00:00+00", R"("12026-11-22T10:00:00+00:00")"},
      {"timestamptz", "infinity", R"("infinity")"},
      {"timestamp", "-infinity", R"("-infinity")"},
      {"timestamp", "0044-03-15 10:00:00 BC", R"("0044-03-15 10:00:00 BC")"},
      {"timestamptz", "0044-03-15 10:00:00+00 BC", R"("0044-03-15 10:00:00+00 BC")"},
      {"date", "2026-11-22", R"("2026-11-22")"},
  }});
}

TEST_CASE("everything else is a string") {
  check_all(std::array<printed, 10>{{
      {"text", "say \"hi\"\n", R"("say \"hi\"\n")"},
      {"text", "5", R"("5")"},
      {"text", "{1,2}", R"("{1,2}")"},
      {"uuid", "6f1c", R"("6f1c")"},
      {"bytea", "\\x00ff", R"("\\x00ff")"},
      {"vector", "[1,2.5]", R"("[1,2.5]")"},
      {"halfvec", "[1]", R"("[1]")"},
      {"mood", "happy", R"("happy")"},
      {"interval", "1 day 02:00:00", R"("1 day 02:00:00")"},
      {"", "x", R"("x")"},
  }});
}

TEST_CASE("arrays are JSON arrays of rendered elements") {
  check_all(std::array<printed, 16>{{
      {"_int4", "{1,NULL,-3}", "[1,null,-3]"},
      {"_int4", "{}", "[]"},
      {"_int4", "{{1,2},{3,4}}", "[[1,2],[3,4]]"},
      {"_int4", "[0:2]={1,2,3}", "[1,2,3]"},
      {"_int4", "[-1:0][2:3]={{1,2},{3,4}}", "[[1,2],[3,4]]"},
      {"_text", R"({x,"a b","",NULL,"NULL"})", R"(["x","a b","",null,"NULL"])"},
      {"_text", R"({"q\"uote","back\\slash","{,}"})",
       R"(["q\"uote","back\\slash","{,}"])"},
      {"_bool", "{t,f,NULL}", "[true,false,null]"},
      {"_float8", "{1.5,NaN}", R"([1.5,"NaN"])"},
      {"_jsonb", R"({"{\"a\": 1}",NULL,2})", R"([{"a": 1},null,2])"},
      {"_timestamptz", R"({"2026-11-22 10:00:00+00"})",
       R"(["2026-11-22T10:00:00+00:00"])"},
      {"_uuid", "{6f1c,6f1d}", R"(["6f1c","6f1d"])"},
      {"_mood", "{happy}", R"(["happy"])"},
      {"_box", "{(1,1),(0,0);(2,2),(1,1)}", R"~(["(1,1),(0,0)","(2,2),(1,1)"])~"},
      {"_int4", "{{{{{{1}}}}}}", "[[[[[[1]]]]]]"},
      {"_vector", R"({"[1,2]","[3]"})", R"(["[1,2]","[3]"])"},
  }});
}

TEST_CASE("a malformed array literal is shown as a string") {
  for (const auto text :
       {"",         "{",         "}",        "1,2",  "{1",
        "{1,}",     "{,1}",      "{1}}",     "{1}x", "{\"a",
        "{\"a\\",   "{\"a\"b}",  "{a\"b\"}", "{{1}", "[0:2]{1}",
        "[0:]={1}", "[x:2]={1}", "[0:2]=",   "[0:2", "{{{{{{{1}}}}}}}",
        "{1}{2}",   "{1 {2}}"}) {
    CAPTURE(text);
    const auto json = json_of("_int4", text);
    CHECK(boost::json::parse(json).as_string() == text);
  }
}

TEST_CASE("an insert has a record, in UTC with milliseconds cut") {
  const auto columns = message_columns();
  const auto record = std::array{cell("5"), cell("hi"), cell(R"({"a":1})")};
  CHECK(change_json(change_of(change_type::insert, columns, record, {}),
                    {true, true, true}, no_limit) ==
        R"({"schema":"public","table":"messages",)"
        R"("commit_timestamp":"2026-11-22T10:00:00.123Z","type":"INSERT",)"
        R"("columns":[{"name":"id","type":"int8"},{"name":"content","type":"text"},)"
        R"({"name":"meta","type":"jsonb"}],)"
        R"("record":{"id":5,"content":"hi","meta":{"a":1}},"errors":null})");
}

TEST_CASE(
    "an update has both rows, a delete the old one; unknown fields are left out") {
  const auto columns = message_columns();
  const auto record = std::array{cell("5"), unknown, null};
  const auto old = std::array{cell("5"), unknown, unknown};
  const auto updated = change_json(change_of(change_type::update, columns, record, old),
                                   {true, true, true}, no_limit);
  CHECK(updated.contains(R"("type":"UPDATE")"));
  CHECK(updated.contains(
      R"(],"record":{"id":5,"meta":null},"old_record":{"id":5},"errors":null})"));
  const auto removed = change_json(change_of(change_type::remove, columns, record, old),
                                   {true, true, true}, no_limit);
  CHECK(removed.contains(R"("type":"DELETE")"));
  CHECK(removed.contains(R"(],"old_record":{"id":5},"errors":null})"));
  CHECK_FALSE(removed.contains(R"("record":{"id":5,"meta")"));
}

TEST_CASE("hidden columns are neither listed nor shown") {
  const auto columns = message_columns();
  const auto record = std::array{cell("5"), cell("secret"), cell("1")};
  for (const auto& shown : {shown_columns{true, false, true}, shown_columns{true}}) {
    const auto json = change_json(change_of(change_type::insert, columns, record, {}),
                                  shown, no_limit);
    CHECK_FALSE(json.contains("secret"));
    CHECK_FALSE(json.contains("content"));
    CHECK(json.contains(R"("record":{"id":5)"));
  }
}

TEST_CASE("new rows of a table without a primary key are not told") {
  auto columns = message_columns();
  for (auto& column : columns)
    column.key = false;
  const auto record = std::array{cell("5"), cell("hi"), null};
  const auto all = shown_columns{true, true, true};
  for (const auto type : {change_type::insert, change_type::update}) {
    const auto json =
        change_json(change_of(type, columns, record, record), all, no_limit);
    CHECK(json.ends_with(R"(,"errors":["Error 400: Bad Request, no primary key"]})"));
    CHECK_FALSE(json.contains("hi"));
    CHECK_FALSE(json.contains("columns"));
  }
  CHECK(change_json(change_of(change_type::remove, columns, {}, record), all, no_limit)
            .ends_with(R"("errors":null})"));
}

TEST_CASE("without the key nothing of the row is told") {
  const auto columns = message_columns();
  const auto record = std::array{cell("5"), cell("hi"), null};
  for (const auto& shown : {shown_columns{false, true, true}, shown_columns{}})
    CHECK(change_json(change_of(change_type::update, columns, record, record), shown,
                      no_limit) ==
          R"({"schema":"public","table":"messages",)"
          R"("commit_timestamp":"2026-11-22T10:00:00.123Z","type":"UPDATE",)"
          R"("errors":["Error 401: Unauthorized"]})");
}

TEST_CASE("past the limit, and not before, larger values are left out") {
  const auto columns = message_columns();
  const auto small = std::string(64, 's');
  const auto large = std::string(65, 'l');
  const auto record = std::array{cell("5"), cell(small), cell(large)};
  auto texts = columns;
  texts[2].type = "text";
  const auto what = change_of(change_type::update, texts, record, record);
  const auto shown = shown_columns{true, true, true};
  const auto whole = change_json(what, shown, no_limit);
  CHECK(whole.contains(large));
  CHECK(change_json(what, shown, whole.size()) == whole);
  for (const auto limit : {whole.size() - 1, std::size_t{64}, std::size_t{0}}) {
    const auto reduced = change_json(what, shown, limit);
    CAPTURE(limit);
    CHECK(reduced.ends_with(R"("record":{"id":5,"content":")" + small +
                            R"("},"old_record":{"id":5,"content":")" + small +
                            R"("},"errors":["Error 413: Payload Too Large"]})"));
    CHECK(reduced.contains(R"({"name":"meta","type":"text"})"));
  }
}

TEST_CASE("names are escaped, and rows may be shorter than the list of columns") {
  const auto columns =
      std::vector<change_column>{{"a\"b", "text", true}, {"later", "te\\xt", false}};
  const auto record = std::array{cell("1")};
  auto what = change_of(change_type::insert, columns, record, {});
  what.schema = "s\"";
  what.table = "t\n";
  const auto json = boost::json::parse(change_json(what, {true, true}, no_limit));
  CHECK(json.at("schema").as_string() == "s\"");
  CHECK(json.at("table").as_string() == "t\n");
  CHECK(json.at("columns").at(1).at("type").as_string() == "te\\xt");
  CHECK(json.at("record").as_object().size() == 1);
  CHECK(json.at("record").at("a\"b").as_string() == "1");
}

TEST_CASE("whatever a literal holds, what comes out is JSON") {
  std::mt19937 random{20'261'122}; // NOLINT: the same numbers in every run
  constexpr auto bytes = "{}[]:=,;\"\\ NULtf0159.eE+-x\n"sv;
  constexpr auto types =
      std::array{"_int4"sv,  "_text"sv,       "_bool"sv,     "_box"sv,
                 "float8"sv, "timestamptz"sv, "_timestamp"sv};
  for (auto round = 0; round < 100'000; ++round) {
    auto text = std::string{random() % 2 == 0 ? "{" : ""};
    for (auto size = random() % 16; size > 0; --size)
      text += bytes[random() % bytes.size()];
    if (random() % 2 == 0)
      text += '}';
    const auto json = json_of(types[random() % types.size()], text);
    auto failed = boost::system::error_code{};
    boost::json::parse(json, failed);
    if (failed)
      FAIL_CHECK(text << " became " << json);
  }
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
