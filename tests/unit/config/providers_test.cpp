#include "config/load.hpp"
#include "config/providers.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <optional>

TEST_SUITE_BEGIN("config.providers");

namespace {

using namespace jessica;
using namespace std::chrono_literals;

/// A file of this test's own, as long as this lives.
struct file {
  explicit file(const std::string& text) { std::ofstream{path} << text; }
  test::temp_folder folder{"providers"};
  std::string path = folder.path / "file";
};

result<config::loaded> load(const std::string& toml,
                            std::vector<std::string> arguments = {}) {
  const auto from = file{toml};
  arguments.insert(arguments.begin(), {"--config", from.path});
  return config::load(
      arguments, [](const std::string&) { return std::optional<std::string>{}; }, {});
}

std::string mistakes(const std::string& toml) {
  const auto done = load(toml);
  REQUIRE_FALSE(done.has_value());
  return done.error().what;
}

} // namespace

TEST_CASE("without a URL there is no provider") {
  CHECK(load("")->values.engine.providers.empty());
}

TEST_CASE("the section alone is one provider") {
  const auto done = load("", {"--engine-url", "http://127.0.0.1:11434/v1",
                              "--engine-token-timeout", "500ms"});
  REQUIRE(done);
  const auto& all = done->values.engine.providers;
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == "default");
  CHECK(all[0].url == "http://127.0.0.1:11434/v1");
  CHECK(all[0].token_timeout == 500ms);
}

TEST_CASE("a list has its order, its own words and the section's limits") {
  const auto key = file{"sk-file\n"};
  const auto done = load(R"(
[engine]
connect_timeout = "2s"
[[providers]]
name = "openai"
url = "https://api.example/v1"
key_file = ")" + key.path +
                         R"("
models = ["gpt-*", "o3"]
headers = { "X-Org" = "me" }
[[providers]]
name = "local"
url = "http://127.0.0.1:8000/v1"
model = "llama"
prefill = "vllm"
max_concurrency = 2
connect_timeout = "1s"
)");
  REQUIRE_MESSAGE(done.has_value(), done.error().what);
  const auto& all = done->values.engine.providers;
  REQUIRE(all.size() == 2);
  CHECK(all[0].name == "openai");
  CHECK(all[0].key == "sk-file");
  CHECK(all[0].models == std::vector<std::string>{"gpt-*", "o3"});
  CHECK(all[0].headers ==
        std::vector<std::pair<std::string, std::string>>{{"X-Org", "me"}});
  CHECK(all[0].connect_timeout == 2s);
  CHECK(all[1].model == "llama");
  CHECK(all[1].prefill == "vllm");
  CHECK(all[1].max_concurrency == 2);
  CHECK(all[1].connect_timeout == 1s);
  CHECK(all[1].key.empty());
}

TEST_CASE("one model needs no list, and a header may be named like a part of ours") {
  const auto done = load("[[providers]]\nname = \"a\"\nurl = \"http://x\"\n"
                         "models = \"gpt-*\"\nheaders = { Encoding = \"y\" }");
  REQUIRE_MESSAGE(done.has_value(), done.error().what);
  const auto& one = done->values.engine.providers.at(0);
  CHECK(one.models == std::vector<std::string>{"gpt-*"});
  CHECK(one.headers.size() == 1);
}

TEST_CASE("keys are masked when the configuration is shown") {
  const auto done = load(R"(
[[providers]]
name = "a"
url = "http://x/v1"
key = "sk-secret"
)",
                         {"--engine-url=http://y/v1", "--engine-key=sk-other"});
  REQUIRE(done);
  auto shown = 0;
  for (const auto& line : done->report) {
    CHECK_FALSE(line.value.contains("sk-"));
    shown += line.value == "***" ? 1 : 0;
  }
  CHECK(shown == 3); // engine.key and the two providers'
  CHECK(std::ranges::contains(done->report, "providers.a.url",
                              &config::option_report::name));
}

TEST_CASE("every mistake is named, and no key is") {
  CHECK(mistakes("[[providers]]\nurl = \"http://x\"").contains("name must be"));
  CHECK(mistakes("[[providers]]\nname = \"a\"").contains("url must be"));
  CHECK(mistakes("[[providers]]\nname = \"a\"\nurl = \"http://u:p@x\"")
            .contains("without a password"));
  CHECK(mistakes("[[providers]]\nname = \"a\"\nurl = \"http://x\"\n"
                 "[[providers]]\nname = \"a\"\nurl = \"http://y\"")
            .contains("taken by another"));
  CHECK(mistakes("[[providers]]\nname = \"a\"\nurl = \"http://x\"\nspeed = 3")
            .contains("providers.speed is not known"));
  CHECK(mistakes("[[providers]]\nname = \"a\"\nurl = \"http://x\"\nmodel = 3")
            .contains("providers.model must be a text in quotes"));
  CHECK(mistakes("[[providers]]\nname = \"a\"\nurl = \"http://x\"\n"
                 "connect_timeout = \"soon\"")
            .contains("providers.connect_timeout"));
  CHECK(mistakes("[[providers]]\nname = \"a\"\nurl = \"http://x\"\n"
                 "headers = { Host = \"y\" }")
            .contains("must be a header's name"));
  for (const auto* const models : {"[]", "5", "[1]", "[\"a\", 1]", "\"\"", "[\"\"]"})
    CHECK(mistakes(std::string{"[[providers]]\nname = \"a\"\nurl = \"http://x\"\n"} +
                   "models = " + models)
              .contains("providers.models must be a list of names"));
  CHECK(mistakes("[[providers]]\nname = \"a\"\nurl = \"http://x\"\n"
                 "key_file = \"/no/such/file\"")
            .contains("holds no key"));
  const auto secret = mistakes("[[providers]]\nname = \"A\"\nurl = \"http://x\"\n"
                               "key = \"sk-secret\\n\"");
  CHECK(secret.contains("the key holds characters"));
  CHECK_FALSE(secret.contains("sk-secret"));
  CHECK(mistakes("providers = 3").contains("is not an option"));
}
