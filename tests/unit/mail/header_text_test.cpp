#include "mail/header_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace jessica::mail;

TEST_SUITE("mail.header_text") {
  TEST_CASE("an address is one local part and one domain, nothing around them") {
    for (const auto* good :
         {"a@b", "ada.lovelace+tag@example.org", "o'neil@x-y.example"})
      CHECK_MESSAGE(is_address(good), good);
    for (const auto* bad :
         {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "a@b\n", "<a@b>",
          "a@b,c@d", "\"a\"@b", "a@b\t", "a\\@b", "\xc3\xa9@b"})
      CHECK_FALSE_MESSAGE(is_address(bad), bad);
    CHECK(is_address(std::string(253, 'a') + "@b"));
    CHECK_FALSE(is_address(std::string(254, 'a') + "@b"));
    CHECK_FALSE(is_address(std::string_view{"a@b\0c", 5}));
  }

  TEST_CASE("plain text stays, other text is encoded in words that end no line early") {
    CHECK(header_text("Confirm your e-mail address") == "Confirm your e-mail address");
    CHECK(header_text("Grüße") == "=?utf-8?B?R3LDvMOfZQ==?=");
    CHECK(header_text("=?utf-8?B?QQ==?=").starts_with("=?utf-8?B?PT91"));
    CHECK(header_text("").empty());
  }

  TEST_CASE("a header's text cannot begin another header") {
    CHECK(header_text("Hello\r\nBcc: eve@example.org") ==
          "Hello  Bcc: eve@example.org");
    CHECK(header_text(std::string_view{"a\0b", 3}) == "a b");
  }

  TEST_CASE("a long text is cut between characters, and each word is short") {
    auto text = std::string{};
    for (auto i = 0; i < 60; ++i)
      text += "é";
    const auto made = header_text(text);
    auto lines = 0;
    for (auto rest = std::string_view{made}; !rest.empty(); ++lines) {
      const auto end = std::min(rest.find("\r\n "), rest.size());
      CHECK(end <= 75);
      CHECK(rest.substr(0, end).ends_with("?="));
      rest.remove_prefix(std::min(end + 3, rest.size()));
    }
    CHECK(lines == 3); // 42 bytes, which are 21 characters, in each but the last
  }

  TEST_CASE("a name is quoted, so that it is not taken for addresses") {
    CHECK(mailbox("Jessica", "a@b") == "\"Jessica\" <a@b>");
    CHECK(mailbox("", "a@b") == "a@b");
    CHECK(mailbox("Eve <eve@x>, \"Bob\\", "a@b") ==
          "\"Eve <eve@x>, \\\"Bob\\\\\" <a@b>");
    CHECK(mailbox("A\r\nBcc: c@d", "a@b") == "\"A  Bcc: c@d\" <a@b>");
    CHECK(mailbox("Zoë", "a@b") == "=?utf-8?B?Wm/Dqw==?= <a@b>");
  }

  TEST_CASE("quoted-printable keeps lines short and reads back the same") {
    CHECK(quoted_printable("a=b\nc") == "a=3Db\r\nc");
    CHECK(quoted_printable("end \nx\t") == "end=20\r\nx=09");
    CHECK(quoted_printable("é") == "=C3=A9");
    CHECK(quoted_printable("a\r\nb") == "a=0D\r\nb");
    const auto made =
        quoted_printable(std::string(200, 'x') + "=" + std::string(100, 'y'));
    auto joined = std::string{};
    for (auto rest = std::string_view{made}; !rest.empty();) {
      const auto end = std::min(rest.find("\r\n"), rest.size());
      CHECK(end <= 76);
      const auto line = rest.substr(0, end);
      joined += line.ends_with('=') ? line.substr(0, line.size() - 1) : line;
      rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    CHECK(joined == std::string(200, 'x') + "=3D" + std::string(100, 'y'));
  }

  TEST_CASE("text cannot become markup") {
    CHECK(html_text("<a href=\"x\">&'") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  }
}
