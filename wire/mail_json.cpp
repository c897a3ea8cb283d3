#include "wire/mail_json.hpp"

#include "wire/auth_fields.hpp"
#include "wire/email_address.hpp"
#include "wire/json_reader.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

[[nodiscard]] std::unexpected<error> invalid(std::string what) {
  return fail(errc::invalid_input, std::move(what), "validation_failed");
}

[[nodiscard]] std::unexpected<error> spent() {
  return fail(errc::forbidden, "no such code", "otp_expired");
}

constexpr auto types = std::to_array<std::pair<std::string_view, verify_type>>({
    {"signup", verify_type::signup},
    {"invite", verify_type::invite},
    {"magiclink", verify_type::magiclink},
    {"recovery", verify_type::recovery},
    {"email", verify_type::email},
    {"email_change", verify_type::email_change},
});

[[nodiscard]] std::optional<verify_type> parse_type(std::string_view text) {
  const auto* found =
      std::ranges::find(types, text, [](const auto& row) { return row.first; });
  return found == types.end() ? std::nullopt : std::optional{found->second};
}

[[nodiscard]] bool is_challenge_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         c == '-' || c == '.' || c == '_' || c == '~';
}

[[nodiscard]] result<std::optional<pkce_challenge>>
challenge_in(const json::object& body) {
  constexpr auto least = std::size_t{43};
  constexpr auto most = std::size_t{128};
  auto text = std::string{};
  auto method = std::string{};
  if (auto read = read_texts(
          body, {{"code_challenge", &text}, {"code_challenge_method", &method}});
      !read)
    return std::unexpected{std::move(read.error())};
  if (text.empty() != method.empty())
    return invalid("PKCE flow requires code_challenge_method and code_challenge");
  if (text.empty())
    return std::nullopt;
  if (text.size() < least || text.size() > most)
    return invalid("code challenge has to be between 43 and 128 characters");
  if (!std::ranges::all_of(text, is_challenge_character))
    return invalid("code challenge can only contain alphanumeric characters, hyphens, "
                   "periods, underscores and tildes");
  method = lower_case(std::move(method));
  if (method != "s256" && method != "plain")
    return invalid("unsupported code_challenge_method");
  return pkce_challenge{std::move(text), method == "s256"};
}

/// The address a body names; `missing` when it names none.
[[nodiscard]] result<std::string> address_in(const json::object& body,
                                             std::string_view missing, errc phone) {
  auto email = std::string{};
  auto number = std::string{};
  if (auto read = read_texts(body, {{"email", &email}, {"phone", &number}}); !read)
    return std::unexpected{std::move(read.error())};
  if (!email.empty() && !number.empty())
    return invalid("Only an email address or phone number should be provided");
  if (!number.empty())
    return fail(phone, "telephones are off", "phone_provider_disabled");
  if (email.empty())
    return invalid(std::string{missing});
  return read_email(std::move(email));
}

} // namespace

result<std::optional<pkce_challenge>> read_challenge(std::string_view body) {
  return read_auth_body(body).and_then(
      [](const json::object& parsed) { return challenge_in(parsed); });
}

result<otp_request> read_otp(std::string_view body) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto pkce = challenge_in(*parsed);
  if (!pkce)
    return std::unexpected{std::move(pkce.error())};
  auto email =
      address_in(*parsed, "One of email or phone must be set", errc::forbidden);
  if (!email)
    return std::unexpected{std::move(email.error())};
  auto data = read_metadata(*parsed, "data");
  if (!data)
    return std::unexpected{std::move(data.error())};
  const auto create = json_reader{*parsed}.flag("create_user", true);
  if (!create)
    return std::unexpected{create.error()};
  return otp_request{std::move(*email), std::move(*data), *create, std::move(*pkce)};
}

result<recover_request> read_recover(std::string_view body) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto email =
      address_in(*parsed, "Password recovery requires an email", errc::forbidden);
  if (!email)
    return std::unexpected{std::move(email.error())};
  auto pkce = challenge_in(*parsed);
  if (!pkce)
    return std::unexpected{std::move(pkce.error())};
  return recover_request{std::move(*email), std::move(*pkce)};
}

result<resend_request> read_resend(std::string_view body) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto type = text_or_empty(*parsed, "type");
  if (!type)
    return std::unexpected{std::move(type.error())};
  constexpr auto known = std::to_array<std::string_view>(
      {"signup", "email_change", "sms", "phone_change"});
  if (!std::ranges::contains(known, *type))
    return invalid(
        "Missing one of these types: signup, email_change, sms, phone_change");
  auto email = address_in(*parsed, "Type provided requires an email address",
                          errc::invalid_input);
  if (!email)
    return std::unexpected{std::move(email.error())};
  if (*type == "sms" || *type == "phone_change")
    return invalid("Type provided requires a phone number");
  auto pkce = challenge_in(*parsed);
  if (!pkce)
    return std::unexpected{std::move(pkce.error())};
  return resend_request{std::move(*email), *type == "email_change", std::move(*pkce)};
}

result<invite_request> read_invite(std::string_view body) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto email = text_or_empty(*parsed, "email").and_then(read_email);
  if (!email)
    return std::unexpected{std::move(email.error())};
  auto data = read_metadata(*parsed, "data");
  if (!data)
    return std::unexpected{std::move(data.error())};
  return invite_request{std::move(*email), std::move(*data)};
}

result<presented_code> read_verify(std::string_view body) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto type = std::string{};
  auto token = std::string{};
  auto hash = std::string{};
  auto email = std::string{};
  auto phone = std::string{};
  if (auto read = read_texts(*parsed, {{"type", &type},
                                       {"token", &token},
                                       {"token_hash", &hash},
                                       {"email", &email},
                                       {"phone", &phone}});
      !read)
    return std::unexpected{std::move(read.error())};
  if (type.empty())
    return invalid("Verify requires a verification type");
  if (token.empty() == hash.empty())
    return invalid("Verify requires either a token or a token hash");
  if (!hash.empty() && (!email.empty() || !phone.empty()))
    return invalid("Only the token_hash and type should be provided");
  if (!token.empty() && email.empty() == phone.empty())
    return invalid(
        "Only an email address or phone number should be provided on verify");
  if (!phone.empty() || type == "sms" || type == "phone_change")
    return spent();
  const auto known = parse_type(type);
  if (!known)
    return invalid("Invalid email verification type");
  if (!hash.empty())
    return presented_code{*known, {}, std::move(hash)};
  auto address = read_email(std::move(email));
  if (!address)
    return std::unexpected{std::move(address.error())};
  return presented_code{*known, std::move(*address), std::move(token)};
}

result<presented_code> read_link(std::string token, std::string_view type) {
  if (type.empty())
    return invalid("Verify requires a verification type");
  if (token.empty())
    return invalid("Verify requires a token or a token hash");
  const auto known = parse_type(type);
  if (!known)
    return invalid("Invalid email verification type");
  return presented_code{*known, {}, std::move(token)};
}

result<pkce_request> read_pkce(std::string_view body) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto made = pkce_request{};
  if (auto read = read_texts(*parsed, {{"auth_code", &made.auth_code},
                                       {"code_verifier", &made.code_verifier}});
      !read)
    return std::unexpected{std::move(read.error())};
  if (made.auth_code.empty() || made.code_verifier.empty())
    return invalid("invalid request: both auth code and code verifier should be "
                   "non-empty");
  return made;
}

} // namespace jessica::wire
