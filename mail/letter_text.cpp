#include "mail/letter_text.hpp"

#include "mail/header_text.hpp"

#include <format>
#include <utility>

namespace jessica::mail {
namespace {

/// The words in which kinds differ.
struct wording {
  std::string_view type; ///< as the link says it
  std::string_view subject;
  std::string_view asks;  ///< with one place for the site's name
  std::string_view press; ///< on the link
};

[[nodiscard]] wording wording_of(letter_kind kind) {
  switch (kind) {
  case letter_kind::confirmation:
    return {"signup", "Confirm your e-mail address",
            "Somebody, hopefully you, signed up to {} with this address.",
            "Confirm the address"};
  case letter_kind::invite:
    return {"invite", "You have been invited", "You have been invited to {}.",
            "Accept the invitation"};
  case letter_kind::magic_link:
    return {"magiclink", "Your sign-in link",
            "Somebody, hopefully you, wants to sign in to {}.", "Sign in"};
  case letter_kind::recovery:
    return {"recovery", "Reset your password",
            "Somebody, hopefully you, asked for a new password at {}.",
            "Choose a new password"};
  case letter_kind::email_change_current:
  case letter_kind::email_change_new:
    return {"email_change", "Confirm the change of your e-mail address",
            "The e-mail address of an account at {} is to be changed.",
            "Confirm the change"};
  case letter_kind::reauthentication:
    break;
  }
  return {"", "Confirm that it is you",
          "Somebody, hopefully you, is about to change the password at {}.", ""};
}

[[nodiscard]] std::string percent_encoded(std::string_view text) {
  constexpr auto unreserved = std::string_view{
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"};
  auto made = std::string{};
  for (const auto c : text) {
    if (unreserved.contains(c))
      made += c;
    else
      made += std::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return made;
}

[[nodiscard]] std::string in_words(std::chrono::seconds time) {
  using std::chrono::hours;
  using std::chrono::minutes;
  const auto counted = [](auto count, std::string_view unit) {
    return std::format("{} {}{}", count, unit, count == 1 ? "" : "s");
  };
  if (time % hours{1} == std::chrono::seconds{0})
    return counted(time / hours{1}, "hour");
  if (time % minutes{1} == std::chrono::seconds{0})
    return counted(time / minutes{1}, "minute");
  return counted(time.count(), "second");
}

/// What stands between the first sentence and the code: the new address of a change.
[[nodiscard]] std::string detail_of(const letter& what) {
  return what.new_email.empty() ? std::string{} : "The new address: " + what.new_email;
}

} // namespace

std::string link_of(const letter& what) {
  if (what.token.empty())
    return {};
  return std::format("{}?token={}&type={}&redirect_to={}", what.verify_url,
                     percent_encoded(what.token), wording_of(what.kind).type,
                     percent_encoded(what.redirect_to));
}

letter_text word(const letter& what, std::string_view site,
                 std::chrono::seconds lifetime) {
  const auto words = wording_of(what.kind);
  const auto asks = std::vformat(words.asks, std::make_format_args(site));
  const auto link = link_of(what);
  const auto detail = detail_of(what);
  const auto until =
      std::format("It is good for {} and for one use. If this was not you, "
                  "ignore this e-mail.",
                  in_words(lifetime));
  auto plain = asks + "\n\n";
  auto html = std::format("<p>{}</p>\n", html_text(asks));
  if (!detail.empty()) {
    plain += detail + "\n\n";
    html += std::format("<p>{}</p>\n", html_text(detail));
  }
  if (!link.empty()) {
    plain += std::format("{}:\n{}\n\n", words.press, link);
    html += std::format("<p><a href=\"{}\">{}</a></p>\n", html_text(link), words.press);
  }
  const auto* const code_is = link.empty() ? "Your code" : "Or enter this code";
  plain += std::format("{}: {}\n\n{}\n", code_is, what.code, until);
  html += std::format("<p>{}: <strong>{}</strong></p>\n<p>{}</p>\n", code_is,
                      html_text(what.code), until);
  return {std::string{words.subject}, std::move(plain), std::move(html)};
}

} // namespace jessica::mail
