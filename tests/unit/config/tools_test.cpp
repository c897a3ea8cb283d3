#include "config/load.hpp"
#include "config/tools.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

TEST_SUITE_BEGIN("config.tools");

namespace {

using namespace jessica;
using namespace std::chrono_literals;

struct written {
  test::temp_folder folder{"tools"};

  result<config::loaded> load(const std::string& toml) const {
    const auto file = (folder.path / "jessica.toml").string();
    std::ofstream{file} << toml;
    return config::load(std::vector<std::string>{"--config", file},
                        [](const std::string&) { return std::optional<std::string>{}; },
                        {});
  }
  std::string mistakes(const std::string& toml) const {
    const auto done = load(toml);
    REQUIRE_FALSE(done.has_value());
    return done.error().what;
  }
};

const auto plain = std::string{R"([[tools]]
name = "weather"
description = "What the weather is like."
url = "https://tools.example/weather"
)"};

} // namespace

TEST_CASE("without tables there are no tools, and the usual bounds") {
  const auto done = written{}.load("");
  REQUIRE(done);
  const auto& tools = done->values.tools;
  CHECK(tools.all.empty());
  CHECK(tools.rounds == 5);
  CHECK(tools.at_once == 4);
  CHECK(tools.search_memory);
}

TEST_CASE("a tool says what it is, where it is and what it may take") {
  const auto files = written{};
  std::ofstream{files.folder.path / "key"} << "sk-tool\n";
  const auto done = files.load(plain + R"(timeout = "2s"
max_result_bytes = "1KiB"
headers = { X-Team = "blue" }
parameters = '{"type":"object"}'
key_file = ")" + (files.folder.path / "key").string() +
                               "\"\n[engine]\ntool_rounds = 2\ntools_at_once = 1\n"
                               "search_memory_tool = false\n");
  REQUIRE_MESSAGE(done.has_value(), done.error().what);
  const auto& tools = done->values.tools;
  REQUIRE(tools.all.size() == 1);
  const auto& one = tools.all[0];
  CHECK(one.name == "weather");
  CHECK(one.description == "What the weather is like.");
  CHECK(one.url == "https://tools.example/weather");
  CHECK(one.parameters == R"({"type":"object"})");
  CHECK(one.key == "sk-tool");
  CHECK(one.headers ==
        std::vector<std::pair<std::string, std::string>>{{"X-Team", "blue"}});
  CHECK(one.timeout == 2s);
  CHECK(one.max_result_bytes == 1024);
  CHECK(tools.rounds == 2);
  CHECK(tools.at_once == 1);
  CHECK_FALSE(tools.search_memory);
}

TEST_CASE("parameters may be TOML") {
  const auto done = written{}.load(plain + R"([tools.parameters]
type = "object"
required = ["city"]
[tools.parameters.properties.city]
type = "string"
description = "Its \"name\""
)");
  REQUIRE_MESSAGE(done.has_value(), done.error().what);
  auto text = done->values.tools.all.at(0).parameters;
  std::erase_if(text, [](char c) { return c == '\n' || c == ' '; });
  CHECK(text.contains(R"("required":["city"])"));
  CHECK(text.contains(
      R"("properties":{"city":{"description":"Its\"name\"","type":"string"}})"));
}

TEST_CASE("keys are never shown") {
  const auto done = written{}.load(plain + "key = \"sk-tool\"\n");
  REQUIRE(done);
  auto shown = 0;
  for (const auto& line : done->report) {
    CHECK_FALSE(line.value.contains("sk-tool"));
    shown += line.name == "tools.weather.key" && line.value == "***" ? 1 : 0;
    shown += line.name == "tools.weather.url" ? 1 : 0;
  }
  CHECK(shown == 2);
}

TEST_CASE("what a table gets wrong is told with its place, all of it at once") {
  const auto files = written{};
  const auto all = files.mistakes(R"([[tools]]
name = "Bad Name"
url = "ftp://x"
timeout = "never"
max_result_bytes = 1
colour = "red"
description = 7
[tools.headers]
Host = "x"
)");
  for (const auto* const part :
       {":1: tools: name must be 1 to 64 of a-z, 0-9, - and _",
        "url must be an http:// or https:// URL", "timeout: ", "max_result_bytes: ",
        "colour is not known", "description must be a text in quotes",
        "description must say what the tool does",
        "headers.Host must be a header's name and its text in quotes"})
    CHECK_MESSAGE(all.contains(part), part);
}

TEST_CASE("names are taken once, also by what is built in") {
  const auto files = written{};
  CHECK(files.mistakes(plain + plain).contains("the name is taken by another tool"));
  CHECK(files
            .mistakes("[[tools]]\nname = \"search_memory\"\ndescription = \"x\"\n"
                      "url = \"http://x\"\n")
            .contains("the name is that of a tool that is built in"));
}

TEST_CASE("a key file without a key is a mistake, and its name is enough") {
  CHECK(written{}
            .mistakes(plain + "key_file = \"/nowhere/key\"\n")
            .contains("key_file: holds no key that can be read"));
}

TEST_CASE("what holds for all tools is no provider's to say, whether it has any is") {
  const auto files = written{};
  CHECK(files
            .mistakes("[[providers]]\nname = \"a\"\nurl = \"http://x\"\n"
                      "tool_rounds = 3\n")
            .contains("providers.tool_rounds is not known"));
  const auto done =
      files.load("[[providers]]\nname = \"a\"\nurl = \"http://x\"\ntools = false\n");
  REQUIRE(done);
  CHECK_FALSE(done->values.engine.providers.at(0).tools);
}
