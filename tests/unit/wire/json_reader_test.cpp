#include "wire/json_reader.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.json_reader");

namespace jessica::wire {
namespace {

namespace json = boost::json;

[[nodiscard]] std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

/// What refuses a field.
template <class T> [[nodiscard]] std::string refusal(const result<T>& read) {
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == errc::invalid_input);
  CHECK(read.error().reason == "validation_failed");
  return read.error().what;
}

TEST_CASE("a whole document of any kind is parsed") {
  for (const auto* text : {"null", "true", "5", "\"x\"", "[]", "{}", " {\"a\":[1]} "}) {
    CAPTURE(text);
    CHECK(parse_json(text).has_value());
    CHECK(valid_json(text));
  }
}

TEST_CASE("broken documents are bad_json, to the parser and to the check alike") {
  for (const auto* text : {"",
                           " ",
                           "x",
                           "{",
                           "[1,",
                           "{\"a\":}",
                           "{} x",
                           "[1]]",
                           "{'a':1}",
                           "{\"a\":1,}",
                           "01",
                           "1.",
                           "nul",
                           "\"\\x\"",
                           "\"\n\"",
                           "\"\xff\"",
                           "\"\xc0\xaf\"",
                           "\"\xed\xa0\x80\"",
                           "\"\\ud800\"",
                           "/**/1",
                           "NaN",
                           "\xef\xbb\xbf{}"}) {
    CAPTURE(text);
    const auto read = parse_json(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == errc::invalid_input);
    CHECK(read.error().reason == "bad_json");
    CHECK_FALSE(read.error().what.empty());
    CHECK_FALSE(valid_json(text));
  }
}

TEST_CASE("a document may nest 32 deep and no deeper") {
  CHECK(parse_json(nested(32)).has_value());
  CHECK_FALSE(parse_json(nested(33)).has_value());
  CHECK_FALSE(parse_json(nested(500'000)).has_value());
  CHECK(valid_json(nested(32)));
  CHECK_FALSE(valid_json(nested(33)));
}

TEST_CASE("integers of 64 bits stay exact, larger numbers become doubles") {
  const auto text = "[-9223372036854775808,18446744073709551615]";
  CHECK(json::serialize(*parse_json(text)) == text);
  CHECK(parse_json("1e400").has_value());
  CHECK(parse_json("123456789012345678901234567890")->is_double());
}

TEST_CASE("an object is required, and an empty text is one") {
  CHECK(parse_object("")->empty());
  CHECK(parse_object("{\"a\":1}")->size() == 1);
  for (const auto* text : {"[]", "null", "1", "\"{}\"", " "}) {
    CAPTURE(text);
    CHECK(parse_object(text).error().reason == "bad_json");
  }
}

TEST_CASE("text: a string, absent or null") {
  const auto object =
      *parse_object(R"({"a":"x","b":null,"c":5,"d":"a\u0000b","e":""})");
  const auto fields = json_reader{object};
  CHECK(*fields.text("a") == "x");
  CHECK(*fields.text("e") == "");
  CHECK(*fields.text("b") == std::nullopt);
  CHECK(*fields.text("z") == std::nullopt);
  CHECK(refusal(fields.text("c")) == "c must be a string");
  CHECK(refusal(fields.text("d")) == "d must not hold a NUL character");
}

TEST_CASE("required text must be there") {
  const auto object = *parse_object(R"({"a":"x","b":null})");
  const auto fields = json_reader{object};
  CHECK(*fields.required_text("a") == "x");
  CHECK(refusal(fields.required_text("b")) == "b is required");
  CHECK(refusal(fields.required_text("z")) == "z is required");
}

TEST_CASE("an error names the path of the field") {
  const auto object = *parse_object(R"({"a":5})");
  CHECK(refusal(json_reader{object, "config.x"}.text("a")) ==
        "config.x.a must be a string");
}

TEST_CASE("object text is the object, compact, or {}") {
  const auto object =
      *parse_object(R"({"a": {"x" : [1, "y"]}, "b": null, "c": [], "d": "{}"})");
  const auto fields = json_reader{object};
  CHECK(*fields.object_text("a") == R"({"x":[1,"y"]})");
  CHECK(*fields.object_text("b") == "{}");
  CHECK(*fields.object_text("z") == "{}");
  CHECK(refusal(fields.object_text("c")) == "c must be an object");
  CHECK(refusal(fields.object_text("d")) == "d must be an object");
}

TEST_CASE("object text refuses what a jsonb column does") {
  for (const auto* text :
       {R"({"a":{"x":"\u0000"}})", R"({"a":{"\u0000":1}})", R"({"a":{"x":[[1e999]]}})",
        R"({"a":{"x":{"y":["z","a\u0000"]}}})", R"({"a":{"x":-1e999}})"}) {
    CAPTURE(text);
    const auto object = *parse_object(text);
    CHECK(refusal(json_reader{object}.object_text("a")) ==
          "a must not hold NUL characters or numbers out of range");
  }
  const auto literal = *parse_object(R"({"a":{"x":"\\u0000"}})");
  CHECK(*json_reader{literal}.object_text("a") == R"({"x":"\\u0000"})");
}

TEST_CASE("a flag is a boolean or its name in a string") {
  const auto object = *parse_object(
      R"({"a":true,"b":false,"c":"true","d":"false","e":null,"f":1,"g":"yes"})");
  const auto fields = json_reader{object};
  CHECK(*fields.flag("a", false));
  CHECK_FALSE(*fields.flag("b", true));
  CHECK(*fields.flag("c", false));
  CHECK_FALSE(*fields.flag("d", true));
  CHECK(*fields.flag("e", true));
  CHECK(*fields.flag("z", true));
  CHECK(refusal(fields.flag("f", true)) == "f must be true or false");
  CHECK(refusal(fields.flag("g", true)) == "g must be true or false");
}

TEST_CASE("an integer is a whole number of any spelling") {
  const auto object = *parse_object(
      R"({"a":5,"b":-5.0,"c":1e3,"d":1.5,"e":"5","f":1e300,"g":18446744073709551615,
          "h":9007199254740992,"i":9007199254740993,"j":1e999,"k":true})");
  const auto fields = json_reader{object};
  CHECK(*fields.integer("a") == 5);
  CHECK(*fields.integer("b") == -5);
  CHECK(*fields.integer("c") == 1000);
  CHECK(*fields.integer("h") == 9'007'199'254'740'992);
  CHECK(*fields.integer("z") == std::nullopt);
  for (const auto* field : {"d", "e", "f", "g", "i", "j", "k"})
    CHECK(refusal(fields.integer(field)) ==
          std::string{field} + " must be a whole number");
}

TEST_CASE("an object is found or absent") {
  const auto object = *parse_object(R"({"a":{"x":1},"b":null,"c":[]})");
  const auto fields = json_reader{object};
  REQUIRE(fields.object("a").has_value());
  CHECK((*fields.object("a"))->size() == 1);
  CHECK(*fields.object("b") == nullptr);
  CHECK(*fields.object("z") == nullptr);
  CHECK(refusal(fields.object("c")) == "c must be an object");
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
