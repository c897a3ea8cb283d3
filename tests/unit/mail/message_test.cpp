#include "mail/message.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace jessica;
using namespace jessica::mail;
using namespace std::chrono_literals;

namespace {

[[nodiscard]] letter confirmation() {
  return {.kind = letter_kind::confirmation,
          .to = "ada@example.org",
          .code = "012345",
          .token = "pkce_abc",
          .verify_url = "https://api.example/auth/v1/verify",
          .redirect_to = "https://app.example/in?a=1&b=ü",
          .new_email = {}};
}

[[nodiscard]] result<message> composed(const sender_name& from, const letter& what,
                                       const letter_text& text) {
  const auto noon = std::chrono::sys_days{2026y / std::chrono::November / 23} + 12h;
  return compose(from, what, text, noon, "0198-id");
}

constexpr auto kinds = std::to_array(
    {letter_kind::confirmation, letter_kind::invite, letter_kind::magic_link,
     letter_kind::recovery, letter_kind::email_change_current,
     letter_kind::email_change_new, letter_kind::reauthentication});

} // namespace

TEST_SUITE("mail.message") {
  TEST_CASE("a link carries token, type and the way back, escaped") {
    CHECK(link_of(confirmation()) ==
          "https://api.example/auth/v1/verify?token=pkce_abc&type=signup&redirect_to="
          "https%3A%2F%2Fapp.example%2Fin%3Fa%3D1%26b%3D%C3%BC");
    auto silent = confirmation();
    silent.token.clear();
    CHECK(link_of(silent).empty());
  }

  TEST_CASE("each kind has words of its own, its code, and its link") {
    for (const auto kind : kinds) {
      CAPTURE(name(kind));
      CHECK(parse_letter_kind(name(kind)) == kind);
      auto what = confirmation();
      what.kind = kind;
      if (kind == letter_kind::reauthentication)
        what.token.clear();
      const auto text = word(what, "Chatty & Co", 1h);
      CHECK_FALSE(text.subject.empty());
      CHECK(text.plain.contains("012345"));
      CHECK(text.html.contains("<strong>012345</strong>"));
      CHECK(text.plain.contains("Chatty & Co"));
      CHECK(text.html.contains("Chatty &amp; Co"));
      CHECK(text.plain.contains(link_of(what)));
      CHECK(text.html.contains("<a href=") == !link_of(what).empty());
      CHECK(text.plain.contains("1 hour and"));
    }
  }

  TEST_CASE("a change names the new address, as text") {
    auto what = confirmation();
    what.kind = letter_kind::email_change_current;
    what.new_email = "o'neil&co@example.org";
    const auto text = word(what, "Jessica", 90s);
    CHECK(text.plain.contains("o'neil&co@example.org"));
    CHECK(text.html.contains("o&#39;neil&amp;co@example.org"));
    CHECK(text.plain.contains("90 seconds"));
  }

  TEST_CASE("a message has its headers once, and both forms") {
    const auto what = confirmation();
    const auto made =
        composed({"no-reply@chat.example", "Grüße"}, what, word(what, "Jessica", 1h));
    REQUIRE(made);
    CHECK(made->from == "no-reply@chat.example");
    CHECK(made->to == "ada@example.org");
    CHECK(made->kind == "confirmation");
    const auto head = made->bytes.substr(0, made->bytes.find("\r\n\r\n"));
    CHECK(head.contains("Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n"));
    CHECK(head.contains("From: =?utf-8?B?R3LDvMOfZQ==?= <no-reply@chat.example>\r\n"));
    CHECK(head.contains("\r\nTo: ada@example.org\r\n"));
    CHECK(head.contains("\r\nMessage-ID: <0198-id@chat.example>\r\n"));
    CHECK(head.contains(
        "\r\nContent-Type: multipart/alternative; boundary=\"=_0198-id\""));
    CHECK(made->bytes.contains("Content-Type: text/plain; charset=utf-8"));
    CHECK(made->bytes.contains("Content-Type: text/html; charset=utf-8"));
    CHECK(made->bytes.ends_with("--=_0198-id--\r\n"));
  }

  TEST_CASE("no line ends with a line feed alone, and none is long") {
    auto what = confirmation();
    what.redirect_to = "https://app.example/" + std::string(3000, 'x');
    const auto made =
        composed({"a@b.example", "Jessica"}, what, word(what, "Jessica", 1h));
    REQUIRE(made);
    for (auto rest = std::string_view{made->bytes}; !rest.empty();) {
      const auto end = rest.find('\n');
      REQUIRE(end != std::string_view::npos);
      REQUIRE(end > 0);
      CHECK(rest[end - 1] == '\r');
      CHECK(end <= 78);
      rest.remove_prefix(end + 1);
    }
  }

  TEST_CASE("an address that is none is refused for good") {
    for (const auto* bad : {"", "ada", "a@b\r\nBcc: eve@example.org", "a@b, c@d"}) {
      CAPTURE(bad);
      auto what = confirmation();
      what.to = bad;
      const auto to = composed({"a@b.example", ""}, what, {});
      REQUIRE_FALSE(to);
      CHECK(to.error().code == errc::invalid_input);
      CHECK_FALSE(composed({bad, ""}, confirmation(), {}));
    }
  }

  TEST_CASE("neither subject nor name can add a header") {
    const auto made = composed({"a@b.example", "Jessica\r\nX-Evil: 1"}, confirmation(),
                               {"Hello\r\nBcc: eve@example.org\r\n\r\nbody", "", ""});
    REQUIRE(made);
    const auto head = made->bytes.substr(0, made->bytes.find("\r\n\r\n"));
    CHECK_FALSE(head.contains("\nBcc:"));
    CHECK_FALSE(head.contains("\nX-Evil:"));
    CHECK(head.ends_with("boundary=\"=_0198-id\""));
  }
}
