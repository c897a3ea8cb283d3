#include "config/option_rows.hpp"
#include "config/option_sections.hpp"

#include <array>
#include <string_view>

namespace jessica::config {
namespace {

using namespace rows;
using auth = section<&settings::auth>;
using mail = section<&settings::mail>;

constexpr auto mail_modes = std::array<std::string_view, 3>{"none", "sink", "smtp"};
constexpr auto smtp_tls =
    std::array<std::string_view, 3>{"starttls", "implicit", "none"};

constexpr auto auth_rows = std::array{
    auth::time<&auth_settings::token_lifetime>(
        "auth.token_lifetime", 91 * second, 168 * hour,
        "Life of an access token; more than 90 s, below which clients refresh."),
    auth::count<&auth_settings::min_password>("auth.min_password", 6, 64,
                                              "Shortest password, in characters."),
    auth::count<&auth_settings::max_password>(
        "auth.max_password", 64, 1024,
        "Longest password, in bytes; 72 is what clients of Supabase expect."),
    auth::text<&auth_settings::password_characters>(
        "auth.password_characters",
        "Sets of characters, between ':', of each of which a password has one."),
    auth::toggle<&auth_settings::refuse_known_passwords>(
        "auth.refuse_known_passwords",
        "Whether the ten thousand most used passwords are refused."),
    auth::toggle<&auth_settings::require_current_password>(
        "auth.require_current_password",
        "Whether a user must give the password to set another one."),
    auth::toggle<&auth_settings::signup_enabled>("auth.signup_enabled",
                                                 "Whether new accounts may be made."),
    auth::toggle<&auth_settings::anonymous_enabled>(
        "auth.anonymous_enabled", "Whether one may sign in without an e-mail."),
    auth::toggle<&auth_settings::require_apikey>(
        "auth.require_apikey", "Whether requests must carry an API key."),
    auth::text<&auth_settings::publishable_key>(
        "auth.publishable_key",
        "Opaque key of role anon, `sb_publishable_...`; empty: that of keys.json."),
    hidden(auth::text<&auth_settings::secret_key>(
        "auth.secret_key",
        "Opaque key of role service_role, `sb_secret_...`; empty: that of keys.json.")),
    auth::path<&auth_settings::signing_keys>(
        "auth.signing_keys",
        "File of JSON Web Keys (`jessica keys sign FILE` makes one): the first private "
        "one signs access tokens, all verify; empty: the secret of keys.json signs."),
    auth::text<&auth_settings::trusted_issuer>(
        "auth.trusted_issuer", "Also accept users' tokens of this issuer, "
                               "`https://REF.supabase.co/auth/v1` for "
                               "a hosted project; empty: only our own."),
    auth::text<&auth_settings::trusted_keys_url>(
        "auth.trusted_keys_url", "Where its public keys are; empty: "
                                 "`/.well-known/jwks.json` under it, or nowhere "
                                 "when it has a secret."),
    hidden(auth::text<&auth_settings::trusted_secret>(
        "auth.trusted_secret", "The secret of its HS256 tokens; empty: it has none.")),
    auth::time<&auth_settings::trusted_refresh>(
        "auth.trusted_refresh", second, hour,
        "Least time between two fetches of its keys; an unknown key asks for one."),
    auth::time<&auth_settings::refresh_reuse>(
        "auth.refresh_reuse", 0, hour,
        "How long the previous refresh token is still answered."),
    auth::time<&auth_settings::session_timebox>(
        "auth.session_timebox", 0, 10 * year,
        "How long a session lasts at most; 0: without end."),
    auth::time<&auth_settings::session_inactivity>(
        "auth.session_inactivity", 0, 10 * year,
        "How long a session may go without a refresh; 0: any time."),
    auth::count<&auth_settings::token_rate>(
        "auth.token_rate", 0, max_count,
        "Sign-ins and refreshes of an address in five minutes; 0: any number."),
    auth::count<&auth_settings::otp_rate>(
        "auth.otp_rate", 0, max_count,
        "Sign-ups, changes and each kind of mail of an address in five minutes."),
    auth::count<&auth_settings::verify_rate>(
        "auth.verify_rate", 0, max_count,
        "Codes and links of an address in five minutes; 0: any number."),
    auth::count<&auth_settings::anonymous_rate>(
        "auth.anonymous_rate", 0, max_count,
        "Anonymous sign-ins of an address in an hour; 0: any number."),
    auth::count<&auth_settings::wrong_password_rate>(
        "auth.wrong_password_rate", 0, max_count,
        "Wrong passwords of an account in five minutes; 0: any number."),
    auth::count<&auth_settings::hash_threads>("auth.hash_threads", 1, 64,
                                              "Threads that hash passwords."),
    auth::count<&auth_settings::hash_queue>(
        "auth.hash_queue", 1, max_count,
        "Sign-ins that may wait for a hashing thread; then 429."),
    auth::count<&auth_settings::session_threads>(
        "auth.session_threads", 1, 64, "Threads for refresh, user and logout calls."),
    auth::count<&auth_settings::session_queue>(
        "auth.session_queue", 1, max_count,
        "Refresh, user and logout calls that may wait; then 429."),
    auth::count<&auth_settings::argon2_passes>("auth.argon2_passes", 1, 100,
                                               "Passes of Argon2id."),
    auth::count<&auth_settings::argon2_memory_kib>("auth.argon2_memory_kib", 8, 4 * mib,
                                                   "Memory of one Argon2id, in KiB."),
    one_of(auth::text<&auth_settings::mail_mode>(
               "auth.mail_mode",
               "Where e-mail goes: nowhere (what needs it is refused), to files under "
               "`storage.directory`, for tests, or to a server."),
           mail_modes),
    auth::toggle<&auth_settings::autoconfirm>(
        "auth.autoconfirm", "Whether a new address counts as confirmed at once; false "
                            "needs a mail mode."),
    auth::text<&auth_settings::site_url>(
        "auth.site_url",
        "Where links in e-mails lead in the end; empty: `net.public_url`."),
    auth::text<&auth_settings::redirect_urls>(
        "auth.redirect_urls",
        "Other URLs they may lead to, between commas; `*` stands for anything but dots "
        "and slashes, `**` for anything."),
    auth::time<&auth_settings::otp_lifetime>("auth.otp_lifetime", second, 24 * hour,
                                             "Life of a code or link in an e-mail."),
    auth::count<&auth_settings::otp_attempts>(
        "auth.otp_attempts", 1, 100, "Wrong guesses before a code is worth nothing."),
    auth::time<&auth_settings::flow_lifetime>("auth.flow_lifetime", second, hour,
                                              "How soon an app must exchange the code "
                                              "that a link's redirect carries (PKCE)."),
    auth::toggle<&auth_settings::require_reauthentication>(
        "auth.require_reauthentication",
        "Whether a session older than a day needs a code to change the password."),
    auth::toggle<&auth_settings::secure_email_change>(
        "auth.secure_email_change",
        "Whether the old address must confirm a change as well as the new one."),
};

constexpr auto mail_rows = std::array{
    mail::text<&mail_settings::from>("mail.from", "The sender's address."),
    mail::text<&mail_settings::from_name>("mail.from_name",
                                          "The sender's name; the texts use it too."),
    mail::time<&mail_settings::interval>("mail.interval", 0, hour,
                                         "Pause between two e-mails to one address."),
    mail::count<&mail_settings::per_hour>("mail.per_hour", 1, max_count,
                                          "E-mails of all nodes in an hour."),
    mail::count<&mail_settings::sink_files>("mail.sink_files", 1, 100'000,
                                            "Files kept in sink mode; the oldest go."),
    mail::text<&mail_settings::smtp_host>("mail.smtp_host", "The server's name."),
    mail::count<&mail_settings::smtp_port>("mail.smtp_port", 1, 65'535,
                                           "The server's port."),
    mail::text<&mail_settings::smtp_user>("mail.smtp_user",
                                          "Who signs in there; empty: nobody."),
    hidden(mail::text<&mail_settings::smtp_password>("mail.smtp_password",
                                                     "The password to sign in with.")),
    one_of(mail::text<&mail_settings::smtp_tls>(
               "mail.smtp_tls", "How the connection is encrypted; `none` only to this "
                                "machine."),
           smtp_tls),
    mail::path<&mail_settings::ca_file>(
        "mail.ca_file",
        "Certificates the server's must descend from; empty: the system's."),
    mail::time<&mail_settings::connect_timeout>("mail.connect_timeout", second, hour,
                                                "To connect to the server."),
    mail::time<&mail_settings::timeout>("mail.timeout", second, hour,
                                        "For one delivery as a whole."),
    mail::count<&mail_settings::attempts>(
        "mail.attempts", 1, 100, "Deliveries that are tried before one is given up."),
    mail::time<&mail_settings::retry_after>(
        "mail.retry_after", 10, hour,
        "Pause before the second delivery; each further one is three times as long."),
};

} // namespace

std::span<const option> auth_options() {
  return auth_rows;
}

std::span<const option> mail_options() {
  return mail_rows;
}

} // namespace jessica::config
