#include "config/load.hpp"
#include "tests/fixtures/temp_folder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <optional>

TEST_SUITE_BEGIN("config.prices");

namespace {

using namespace jessica;

result<config::loaded> load(const std::string& toml) {
  const auto folder = test::temp_folder{"prices"};
  const auto file = folder.path / "jessica.toml";
  std::ofstream{file} << toml;
  return config::load(std::vector<std::string>{"--config", file.string()},
                      [](const std::string&) { return std::optional<std::string>{}; },
                      {});
}

std::string mistakes(const std::string& toml) {
  const auto done = load(toml);
  REQUIRE_FALSE(done.has_value());
  return done.error().what;
}

} // namespace

TEST_CASE("prices are read as they are written, as numbers or texts") {
  const auto done = load(R"(
[quota]
cost_per_day = "2.50"
currency = "EUR"
[[prices]]
model = "gpt-*"
prompt = 0.15
completion = "0.60"
[[prices]]
model = "local"
prompt = 0
completion = 1
)");
  REQUIRE(done);
  CHECK(done->values.quota.prices ==
        std::vector<price>{{"gpt-*", 150'000, 600'000}, {"local", 0, 1'000'000}});
  const auto line =
      std::ranges::find(done->report, "prices.gpt-*", &config::option_report::name);
  REQUIRE(line != done->report.end());
  CHECK(line->value == "0.15 0.6 EUR");
}

TEST_CASE("a price that is none is told with its line") {
  CHECK(mistakes("[[prices]]\nmodel = \"m\"\nprompt = -1\ncompletion = 1\n")
            .contains("jessica.toml:3: prices.prompt must be a number"));
  CHECK(mistakes("[[prices]]\nmodel = \"m\"\nprompt = 1e-9\ncompletion = 1\n")
            .contains("prices.prompt must be"));
  CHECK(mistakes("[[prices]]\nmodel = \"m\"\nprompt = 10001\ncompletion = 1\n")
            .contains("prices.prompt must be"));
  CHECK(mistakes("[[prices]]\nmodel = \"m\"\nprompt = true\ncompletion = 1\n")
            .contains("prices.prompt must be"));
  CHECK(mistakes("[[prices]]\nmodel = \"m\"\nprompt = 1\n")
            .contains("jessica.toml:1: prices needs model"));
  CHECK(mistakes("[[prices]]\nmodel = \"a*b\"\nprompt = 1\ncompletion = 1\n")
            .contains("prices needs model"));
  CHECK(mistakes("[[prices]]\nmodel = \"m\"\nprompt = 1\ncompletion = 1\nx = 1\n")
            .contains("jessica.toml:5: prices.x is not known"));
  const auto* const one = "[[prices]]\nmodel = \"m\"\nprompt = 1\ncompletion = 1\n";
  CHECK(mistakes(std::string{one} + one).contains("prices has m twice"));
}

TEST_CASE("a cost limit that is no decimal number is refused") {
  CHECK(mistakes("[quota]\ncost_per_day = \"much\"\n")
            .contains("quota.cost_per_day must be a decimal number"));
  CHECK(mistakes("prices = 5\n").contains("prices is not an option"));
}

TEST_SUITE_END();
