#include "wire/auth_json.hpp"

#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <format>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto max_email_bytes = std::size_t{255};
constexpr auto max_password_bytes = std::size_t{72};
/// Four thirds of it in base64 leave room for the other claims of an 8 KiB token.
constexpr auto max_data_bytes = std::size_t{4096};
/// Of a host name between two dots (RFC 1035).
constexpr auto max_label_bytes = std::size_t{63};

/// The providers a client may ask /settings about; we have none of them.
constexpr auto foreign_providers = std::array{
    "apple",    "azure",         "bitbucket", "discord", "facebook",   "figma",
    "fly",      "github",        "gitlab",    "google",  "kakao",      "keycloak",
    "linkedin", "linkedin_oidc", "notion",    "slack",   "slack_oidc", "snapchat",
    "spotify",  "twitch",        "twitter",   "workos",  "zoom"};

[[nodiscard]] std::unexpected<error> invalid(std::string what,
                                             std::string reason = "validation_failed") {
  return fail(errc::invalid_input, std::move(what), std::move(reason));
}

[[nodiscard]] bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

[[nodiscard]] bool is_local_part(std::string_view text) {
  constexpr auto signs = std::string_view{".!#$%&'*+/=?^_`{|}~-"};
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return is_letter_or_digit(c) || signs.contains(c);
  });
}

[[nodiscard]] bool is_label(std::string_view text) {
  return !text.empty() && text.size() <= max_label_bytes && text.front() != '-' &&
         text.back() != '-' && std::ranges::all_of(text, [](char c) {
           return is_letter_or_digit(c) || c == '-';
         });
}

[[nodiscard]] bool is_host(std::string_view text) {
  for (;;) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot)))
      return false;
    if (dot == std::string_view::npos)
      return true;
    text.remove_prefix(dot + 1);
  }
}

[[nodiscard]] std::string lower_case(std::string text) {
  for (auto& c : text) {
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

[[nodiscard]] result<void> check_email(std::string_view email) {
  const auto at = email.find('@');
  if (at == std::string_view::npos || !is_local_part(email.substr(0, at)) ||
      !is_host(email.substr(at + 1)))
    return invalid("Unable to validate email address: invalid format");
  if (email.size() > max_email_bytes)
    return invalid("An email address is too long (255)");
  return {};
}

[[nodiscard]] result<void> check_password(std::string_view password,
                                          std::size_t min_bytes) {
  if (password.empty())
    return invalid("Signup requires a valid password");
  if (password.size() > max_password_bytes)
    return invalid("Password cannot be longer than 72 characters");
  if (password.size() < min_bytes)
    return invalid(std::format("Password should be at least {} characters.", min_bytes),
                   "weak_password");
  return {};
}

[[nodiscard]] result<json::object> read_body(std::string_view body) {
  if (body.empty())
    return invalid("unexpected end of JSON input", "bad_json");
  return parse_object(body);
}

/// A text field; absent is empty, as auth bodies mean it.
[[nodiscard]] result<std::string> text_or_empty(const json::object& body,
                                                std::string_view field) {
  auto found = json_reader{body}.text(field);
  if (!found)
    return std::unexpected{std::move(found.error())};
  return std::move(*found).value_or(std::string{});
}

/// The fields sign-up and sign-in share.
struct named_password {
  std::string email;
  std::string phone;
  std::string password;
};
[[nodiscard]] result<named_password> read_named_password(const json::object& body) {
  auto read = named_password{};
  const auto fields =
      std::array{std::pair{"email", &read.email}, std::pair{"phone", &read.phone},
                 std::pair{"password", &read.password}};
  for (const auto& [field, into] : fields) {
    auto text = text_or_empty(body, field);
    if (!text)
      return std::unexpected{std::move(text.error())};
    *into = std::move(*text);
  }
  return read;
}

/// The account's only way in, as /user lists it; none for anonymous users.
[[nodiscard]] std::string identities_json(const account& who) {
  if (who.anonymous)
    return "[]";
  const auto id = who.id.str();
  auto failure = boost::system::error_code{};
  const auto metadata = json::parse(who.user_metadata, failure);
  auto data = json::object{};
  if (!failure && metadata.is_object())
    data = metadata.get_object();
  data["sub"] = id;
  data["email"] = who.email;
  data["email_verified"] = who.email_confirmed_at.has_value();
  data["phone_verified"] = false;
  auto way = object_writer{512};
  way.text("identity_id", id)
      .text("id", id)
      .text("user_id", id)
      .json("identity_data", json::serialize(data))
      .text("provider", "email");
  if (who.last_sign_in_at)
    way.text("last_sign_in_at", rfc3339(*who.last_sign_in_at));
  way.text("created_at", rfc3339(who.created_at))
      .text("updated_at", rfc3339(who.updated_at))
      .text("email", who.email);
  return '[' + way.done() + ']';
}

void write_time(object_writer& to, std::string_view key,
                const std::optional<timestamp>& when) {
  if (when)
    to.text(key, rfc3339(*when));
}

void write_mail(object_writer& to, const account_mail& mail) {
  write_time(to, "invited_at", mail.invited_at);
  write_time(to, "confirmation_sent_at", mail.confirmation_sent_at);
  write_time(to, "recovery_sent_at", mail.recovery_sent_at);
  write_time(to, "reauthentication_sent_at", mail.reauthentication_sent_at);
  write_time(to, "email_change_sent_at", mail.email_change_sent_at);
  if (!mail.new_email.empty())
    to.text("new_email", mail.new_email);
}

[[nodiscard]] std::string write_user(const account& who, std::string_view identities) {
  auto user = object_writer{1536};
  user.text("id", who.id.str())
      .text("aud", "authenticated")
      .text("role", "authenticated")
      .text("email", who.email)
      .text("phone", "");
  write_time(user, "email_confirmed_at", who.email_confirmed_at);
  write_time(user, "confirmed_at", who.email_confirmed_at);
  write_mail(user, who.mail);
  write_time(user, "last_sign_in_at", who.last_sign_in_at);
  write_time(user, "banned_until", who.banned_until);
  user.json("app_metadata", who.app_metadata)
      .json("user_metadata", user_metadata_json(who))
      .json("identities", identities)
      .text("created_at", rfc3339(who.created_at))
      .text("updated_at", rfc3339(who.updated_at))
      .flag("is_anonymous", who.anonymous);
  return user.done();
}

} // namespace

result<sign_up_request> read_sign_up(std::string_view body, std::size_t min_password) {
  const auto parsed = read_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto named = read_named_password(*parsed);
  if (!named)
    return std::unexpected{std::move(named.error())};
  auto data = json_reader{*parsed}.object_text("data");
  if (!data)
    return std::unexpected{std::move(data.error())};
  if (data->size() > max_data_bytes)
    return invalid(std::format("data must be at most {} bytes", max_data_bytes));
  if (!named->phone.empty())
    return invalid("Phone signups are disabled", "phone_provider_disabled");
  if (named->email.empty())
    return sign_up_request{std::nullopt, {}, std::move(*data)};
  if (auto strong = check_password(named->password, min_password); !strong)
    return std::unexpected{std::move(strong.error())};
  if (auto valid = check_email(named->email); !valid)
    return std::unexpected{std::move(valid.error())};
  return sign_up_request{lower_case(std::move(named->email)),
                         std::move(named->password), std::move(*data)};
}

result<password_request> read_password(std::string_view body) {
  const auto parsed = read_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto named = read_named_password(*parsed);
  if (!named)
    return std::unexpected{std::move(named.error())};
  if (!named->phone.empty())
    return fail(errc::forbidden, "Phone logins are disabled",
                "phone_provider_disabled");
  if (named->email.empty())
    return invalid("missing email or phone");
  // No account has such a name or password: spare the hash.
  if (named->email.size() > max_email_bytes ||
      named->password.size() > max_password_bytes)
    return fail(errc::unauthenticated, "longer than any account's",
                "invalid_credentials");
  return password_request{lower_case(std::move(named->email)),
                          std::move(named->password)};
}

result<std::string> read_refresh_token(std::string_view body) {
  const auto parsed = read_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto token = text_or_empty(*parsed, "refresh_token");
  if (token && token->empty())
    return invalid("refresh_token required", "refresh_token_required");
  return token;
}

std::string user_metadata_json(const account& who) {
  if (!who.email_confirmed_at)
    return who.user_metadata;
  auto failure = boost::system::error_code{};
  auto metadata = json::parse(who.user_metadata, failure);
  if (failure || !metadata.is_object())
    return who.user_metadata;
  metadata.get_object()["email_verified"] = true;
  return json::serialize(metadata);
}

std::string user_json(const account& who) {
  return write_user(who, identities_json(who));
}

std::string made_up_user_json(const account& who) {
  return write_user(who, "[]");
}

std::string session_json(const session_grant& grant, std::string_view access_token,
                         std::chrono::sys_seconds now, std::chrono::seconds lifetime) {
  auto session = object_writer{4096};
  session.text("access_token", access_token)
      .text("token_type", "bearer")
      .number("expires_in", lifetime.count())
      .number("expires_at", (now + lifetime).time_since_epoch().count())
      .text("refresh_token", grant.refresh_token)
      .json("user", user_json(grant.user));
  return session.done();
}

std::string settings_json(bool signup_enabled, bool anonymous_enabled,
                          bool autoconfirm) {
  auto external = object_writer{1024};
  external.flag("anonymous_users", anonymous_enabled)
      .flag("email", true)
      .flag("phone", false);
  for (const auto* provider : foreign_providers)
    external.flag(provider, false);
  auto settings = object_writer{1024};
  settings.json("external", external.done())
      .flag("disable_signup", !signup_enabled)
      .flag("mailer_autoconfirm", autoconfirm)
      .flag("phone_autoconfirm", false)
      .text("sms_provider", "")
      .flag("saml_enabled", false)
      .flag("passkeys_enabled", false);
  return settings.done();
}

std::string rfc3339(timestamp when) {
  return std::format("{:%FT%T}Z", when);
}

} // namespace jessica::wire
