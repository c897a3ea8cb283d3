#include "wire/auth_json.hpp"

#include "wire/auth_fields.hpp"
#include "wire/email_address.hpp"
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

/// Whatever the policy was when an account was made, its password is no longer.
constexpr auto max_password_bytes = std::size_t{1024};

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

[[nodiscard]] std::string weakness_json(const password_weakness& weak) {
  auto reasons = std::string{};
  for (const auto reason : weak.reasons) {
    reasons += reasons.empty() ? '[' : ',';
    append_quoted(reasons, reason);
  }
  auto text = object_writer{256};
  text.json("reasons", reasons + ']').text("message", weak.message);
  return text.done();
}

} // namespace

result<sign_up_request> read_sign_up(std::string_view body,
                                     const password_policy& policy) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto named = read_named_password(*parsed);
  if (!named)
    return std::unexpected{std::move(named.error())};
  auto data = read_metadata(*parsed, "data");
  if (!data)
    return std::unexpected{std::move(data.error())};
  if (!named->phone.empty())
    return invalid("Phone signups are disabled", "phone_provider_disabled");
  if (named->email.empty())
    return sign_up_request{std::nullopt, {}, std::move(*data)};
  if (named->password.empty())
    return invalid("Signup requires a valid password");
  if (auto strong = check_password(named->password, policy); !strong)
    return std::unexpected{std::move(strong.error())};
  auto email = read_email(std::move(named->email));
  if (!email)
    return std::unexpected{std::move(email.error())};
  return sign_up_request{std::move(*email), std::move(named->password),
                         std::move(*data)};
}

result<password_request> read_password(std::string_view body) {
  const auto parsed = read_auth_body(body);
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
  const auto parsed = read_auth_body(body);
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
  auto user = object_writer{1536};
  user.text("id", who.id.str())
      .text("aud", "authenticated")
      .text("role", who.role)
      .text("email", who.email)
      .text("phone", "");
  write_time(user, "email_confirmed_at", who.email_confirmed_at);
  write_time(user, "confirmed_at", who.email_confirmed_at);
  write_time(user, "last_sign_in_at", who.last_sign_in_at);
  write_time(user, "banned_until", who.banned_until);
  write_time(user, "deleted_at", who.deleted_at);
  user.json("app_metadata", who.app_metadata)
      .json("user_metadata", user_metadata_json(who))
      .json("identities", identities_json(who))
      .text("created_at", rfc3339(who.created_at))
      .text("updated_at", rfc3339(who.updated_at))
      .flag("is_anonymous", who.anonymous);
  return user.done();
}

std::string session_json(const session_grant& grant, std::string_view access_token,
                         std::chrono::sys_seconds now, std::chrono::seconds lifetime,
                         const std::optional<password_weakness>& weak) {
  auto session = object_writer{4096};
  session.text("access_token", access_token)
      .text("token_type", "bearer")
      .number("expires_in", lifetime.count())
      .number("expires_at", (now + lifetime).time_since_epoch().count())
      .text("refresh_token", grant.refresh_token)
      .json("user", user_json(grant.user));
  if (weak)
    session.json("weak_password", weakness_json(*weak));
  return session.done();
}

std::string settings_json(bool signup_enabled, bool anonymous_enabled) {
  auto external = object_writer{1024};
  external.flag("anonymous_users", anonymous_enabled)
      .flag("email", true)
      .flag("phone", false);
  for (const auto* provider : foreign_providers)
    external.flag(provider, false);
  auto settings = object_writer{1024};
  settings.json("external", external.done())
      .flag("disable_signup", !signup_enabled)
      .flag("mailer_autoconfirm", true)
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
