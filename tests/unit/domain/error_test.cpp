#include "domain/error.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

TEST_SUITE_BEGIN("domain.error");

namespace jessica {
namespace {

constexpr auto first = 1;
constexpr auto last = static_cast<int>(errc::internal);

TEST_CASE("every code has a name of its own in snake_case") {
  auto names = std::set<std::string>{};
  for (auto value = first; value <= last; ++value) {
    const auto text = std::string{name(static_cast<errc>(value))};
    CHECK(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos);
    CHECK_FALSE(text.empty());
    names.insert(text);
  }
  CHECK(names.size() == last);
}

TEST_CASE("the names are those that logs and documents spell") {
  CHECK(name(errc::invalid_input) == "invalid_input");
  CHECK(name(errc::unauthenticated) == "unauthenticated");
  CHECK(name(errc::forbidden) == "forbidden");
  CHECK(name(errc::not_found) == "not_found");
  CHECK(name(errc::conflict) == "conflict");
  CHECK(name(errc::too_large) == "too_large");
  CHECK(name(errc::overloaded) == "overloaded");
  CHECK(name(errc::unavailable) == "unavailable");
  CHECK(name(errc::timeout) == "timeout");
  CHECK(name(errc::internal) == "internal");
}

TEST_CASE("a value that is no code is called internal") {
  CHECK(name(static_cast<errc>(0)) == "internal");
  CHECK(name(static_cast<errc>(200)) == "internal");
}

TEST_CASE("fail carries code, cause and reason, and no SQL fault") {
  const result<int> failed = fail(errc::conflict, "taken", "email_exists");
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == errc::conflict);
  CHECK(failed.error().what == "taken");
  CHECK(failed.error().reason == "email_exists");
  CHECK(failed.error().sql == nullptr);
}

TEST_CASE("without a reason fail leaves it empty") {
  const result<void> failed = fail(errc::timeout, "slow");
  CHECK(failed.error().reason.empty());
}

} // namespace
} // namespace jessica

TEST_SUITE_END();
