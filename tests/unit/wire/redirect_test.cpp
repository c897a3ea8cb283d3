#include "wire/redirect.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace jessica::wire;

namespace {

constexpr auto site = "https://app.example/home";

[[nodiscard]] bool may(std::string_view url, std::string_view patterns = {}) {
  return may_redirect(url, site, patterns);
}

} // namespace

TEST_SUITE("wire.redirect") {
  TEST_CASE("the site itself is allowed: scheme, host and port must be its own") {
    CHECK(may("https://app.example"));
    CHECK(may("https://APP.example/any/where?x=1#y"));
    for (const auto* no :
         {"http://app.example/", "https://app.example:444/",
          "https://app.example.evil.test/", "https://evil.test/https://app.example",
          "//app.example/", "app.example", "", "https://", "https:///app.example"})
      CHECK_FALSE_MESSAGE(may(no), no);
  }

  TEST_CASE("an app on this machine listens on any port") {
    CHECK(may_redirect("http://localhost:5173/x", "http://localhost:3000", ""));
    CHECK(may_redirect("http://127.0.0.1:9/x", "http://127.0.0.1", ""));
    CHECK(may_redirect("http://[::1]:9/x", "http://[::1]:8", ""));
    CHECK_FALSE(may_redirect("http://localhost/x", "http://127.0.0.1", ""));
  }

  TEST_CASE("patterns: a star stops at dots and slashes, two stars at nothing") {
    constexpr auto list = "https://*.example.com/in, myapp://**,https://x.test/?/*";
    for (const auto* yes :
         {"https://a.example.com/in", "https://a.example.com/in?code=1#x",
          "myapp://login/back", "myapp://", "https://x.test/1/abc"})
      CHECK_MESSAGE(may(yes, list), yes);
    for (const auto* no :
         {"https://a.b.example.com/in", "https://example.com/in",
          "https://a.example.com/in/deeper", "https://evil.test/.example.com/in",
          "https://x.test/12/abc", "https://x.test/1/a/b", "myapp:/login", "other://x"})
      CHECK_FALSE_MESSAGE(may(no, list), no);
    CHECK_FALSE(may("https://a.test/", " , ,"));
  }

  TEST_CASE("what browsers read in another way is refused whatever the patterns") {
    for (const auto* no :
         {"https://app.example@evil.test/", "https://app.example\\@evil.test/",
          "\thttps://app.example/", "https://app.example/\r\nX: y",
          "https://app.example/ ", "https://2130706433/", "javascript:alert(1)",
          "data:text/html,x"})
      CHECK_FALSE_MESSAGE(may(no, "**"), no);
    CHECK_FALSE(may("https://app.example/" + std::string(3000, 'x'), "**"));
  }

  TEST_CASE(
      "a pattern full of stars takes no longer than its length times the text's") {
    auto stars = std::string{};
    for (auto i = 0; i < 200; ++i)
      stars += "*a";
    CHECK_FALSE(may("https://" + std::string(1500, 'a') + "/b", stars + "c"));
  }

  TEST_CASE("a fragment is replaced, a query is added to, and both are encoded") {
    CHECK(with_fragment("https://a.test/x?y=1#old", {{"b", "c d&e"}, {"a", "é"}}) ==
          "https://a.test/x?y=1#a=%C3%A9&b=c+d%26e");
    CHECK(with_query("https://a.test/x", {{"code", "1/2"}}) ==
          "https://a.test/x?code=1%2F2");
    CHECK(with_query("https://a.test/x?y=1#z", {{"code", "2"}}) ==
          "https://a.test/x?y=1&code=2#z");
  }
}
