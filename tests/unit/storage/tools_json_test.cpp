#include "storage/tools_json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_SUITE_BEGIN("storage.tools_json");

namespace {

using namespace jessica;
using storage::tools_json;

} // namespace

TEST_CASE("a reply's tools are a list of calls and what came of them") {
  CHECK(tools_json({}) == "[]");
  CHECK(tools_json(std::vector<tool_outcome>{
            {{"c1", "add", R"({"x":1})"}, "3", false, std::chrono::milliseconds{12}},
            {{"c2", "sub", ""}, "the tool failed: 503", true, {}}}) ==
        R"([{"id":"c1","name":"add","arguments":"{\"x\":1}","result":"3",)"
        R"("failed":false,"took_ms":12},{"id":"c2","name":"sub","arguments":"",)"
        R"("result":"the tool failed: 503","failed":true,"took_ms":0}])");
}

TEST_CASE("what JSON cannot hold as it is is escaped, what jsonb cannot is left out") {
  const auto text = std::string{"a\n\"\\\x01\0b\xc3\xa4", 9};
  CHECK(tools_json(std::vector<tool_outcome>{{{"c", "n", ""}, text, false, {}}})
            .contains(R"("result":"a\u000a\"\\\u0001bä")"));
}

TEST_CASE("texts are cut, the more the more there are") {
  const auto text = std::string(100'000, 'x');
  const auto one = tool_outcome{{"c", "n", text}, text, false, {}};
  CHECK(tools_json(std::vector{one}).size() < 8400);
  CHECK(tools_json(std::vector{one}).contains(std::string(4096, 'x') + "\""));
  const auto many = tools_json(std::vector<tool_outcome>(320, one));
  CHECK(many.size() < 131'072 + 320 * 100);
}
