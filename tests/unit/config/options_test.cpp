#include "config/load.hpp"
#include "config/option_text.hpp"
#include "config/options.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

using namespace jessica;
using namespace jessica::config;

TEST_SUITE("config.options") {
  TEST_CASE("names, flags and variables are unique") {
    auto flags = std::set<std::string>{};
    auto variables = std::set<std::string>{};
    for (const auto& one : options()) {
      CAPTURE(one.name);
      CHECK(flags.insert(flag_name(one.name)).second);
      CHECK(variables.insert(variable_name(one.name)).second);
    }
  }

  TEST_CASE("every default is a value its own option accepts") {
    const auto defaults = settings{};
    for (const auto& one : options()) {
      CAPTURE(one.name);
      const auto again = parse_value(one, value_text(one, defaults));
      REQUIRE_MESSAGE(again.has_value(), again.error().what);
      CHECK(*again == one.read(defaults));
    }
  }

  TEST_CASE("what is assigned to an option is read from it, and nowhere else") {
    for (const auto& one : options()) {
      CAPTURE(one.name);
      auto in = settings{};
      const auto before = one.read(in);
      auto other = option_value{};
      if (one.form == value_form::toggle)
        other = !std::get<bool>(before);
      else if (one.form == value_form::text || one.form == value_form::path)
        other = std::string{"elsewhere"};
      else
        other = before == option_value{one.most} ? one.least : one.most;
      one.assign(in, other);
      CHECK(one.read(in) == other);
      const auto untouched = settings{};
      for (const auto& rest : options())
        if (rest.name != one.name)
          CHECK_MESSAGE(rest.read(in) == rest.read(untouched), rest.name);
    }
  }

  TEST_CASE("bounds are inclusive and named when crossed") {
    for (const auto& one : options()) {
      if (one.most == 0)
        continue;
      CAPTURE(one.name);
      const auto text = [&](std::uint64_t number) {
        return one.form == value_form::duration ? std::to_string(number) + "ms"
                                                : std::to_string(number);
      };
      CHECK(parse_value(one, text(one.least)).has_value());
      CHECK(parse_value(one, text(one.most)).has_value());
      const auto over = parse_value(one, text(one.most + 1));
      REQUIRE_FALSE(over.has_value());
      CHECK(over.error().what.contains(accepts_text(one)));
      if (one.least > 0)
        CHECK_FALSE(parse_value(one, text(one.least - 1)).has_value());
    }
  }

  TEST_CASE("a very long bad value is not repeated in full") {
    const auto refused = parse_value(options()[1], std::string(10'000, 'x'));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what.size() < 200);
  }

  TEST_CASE("docs/configuration.md is what the options say") {
    const auto file =
        std::filesystem::path{TEST_SOURCE_DIR} / "../docs/configuration.md";
    auto stream = std::ifstream{file, std::ios::binary};
    const auto text = std::string{std::istreambuf_iterator<char>{stream}, {}};
    const auto wanted = configuration_markdown();
    const auto same = text == wanted;
    if (!same)
      std::ofstream{"configuration.md", std::ios::binary} << wanted;
    CHECK_MESSAGE(same, "the text as it should be was written to ",
                  (std::filesystem::current_path() / "configuration.md").string());
  }
}
