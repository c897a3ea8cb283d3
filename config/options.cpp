#include "config/options.hpp"

#include <array>
#include <concepts>
#include <type_traits>
#include <utility>

namespace jessica::config {
namespace {

constexpr auto max_count = std::uint64_t{1'000'000};
constexpr auto kib = std::uint64_t{1} << 10U;
constexpr auto mib = std::uint64_t{1} << 20U;
constexpr auto second = std::uint64_t{1000};
constexpr auto hour = 3600 * second;
constexpr auto year = 8766 * hour;

constexpr auto vector_forms = std::array<std::string_view, 2>{"float32", "int8"};
constexpr auto levels =
    std::array<std::string_view, 4>{"debug", "info", "warn", "error"};
constexpr auto send_rules = std::array<std::string_view, 2>{"owner", "policies"};
constexpr auto mail_modes = std::array<std::string_view, 3>{"none", "sink", "smtp"};
constexpr auto smtp_tls =
    std::array<std::string_view, 3>{"starttls", "implicit", "none"};
constexpr auto embedders = std::array<std::string_view, 3>{"onnx", "openai", "none"};
constexpr auto engines = std::array<std::string_view, 2>{"auto", "builtin"};
constexpr auto prefills = std::array<std::string_view, 3>{"none", "assistant", "vllm"};

template <auto Room, auto Member> void assign(settings& in, const option_value& value) {
  auto& member = in.*Room.*Member;
  using type = std::remove_reference_t<decltype(member)>;
  if constexpr (std::same_as<type, bool>)
    member = std::get<bool>(value);
  else if constexpr (std::integral<type>)
    member = static_cast<type>(std::get<std::uint64_t>(value));
  else if constexpr (std::same_as<type, seconds> || std::same_as<type, milliseconds>)
    member = std::chrono::duration_cast<type>(
        milliseconds{static_cast<std::int64_t>(std::get<std::uint64_t>(value))});
  else
    member = std::get<std::string>(value);
}

template <auto Room, auto Member> option_value read(const settings& in) {
  const auto& member = in.*Room.*Member;
  using type = std::remove_cvref_t<decltype(member)>;
  if constexpr (std::integral<type> && !std::same_as<type, bool>)
    return static_cast<std::uint64_t>(member);
  else if constexpr (std::same_as<type, seconds> || std::same_as<type, milliseconds>)
    return static_cast<std::uint64_t>(milliseconds{member}.count());
  else if constexpr (std::same_as<type, std::filesystem::path>)
    return member.string();
  else
    return member;
}

template <auto Room, auto Member>
constexpr option bind(value_form form, std::string_view name,
                      std::string_view meaning) {
  auto made = option{};
  made.name = name;
  made.form = form;
  made.meaning = meaning;
  made.assign = &assign<Room, Member>;
  made.read = &read<Room, Member>;
  return made;
}

constexpr option between(option of, std::uint64_t least, std::uint64_t most) {
  of.least = least;
  of.most = most;
  return of;
}

/// The rows of one section: the section's struct is named once.
template <auto Room> struct section {
  template <auto Member>
  static constexpr option text(std::string_view name, std::string_view meaning) {
    return bind<Room, Member>(value_form::text, name, meaning);
  }
  template <auto Member>
  static constexpr option path(std::string_view name, std::string_view meaning) {
    return bind<Room, Member>(value_form::path, name, meaning);
  }
  template <auto Member>
  static constexpr option toggle(std::string_view name, std::string_view meaning) {
    return bind<Room, Member>(value_form::toggle, name, meaning);
  }
  template <auto Member>
  static constexpr option count(std::string_view name, std::uint64_t least,
                                std::uint64_t most, std::string_view meaning) {
    return between(bind<Room, Member>(value_form::count, name, meaning), least, most);
  }
  template <auto Member>
  static constexpr option bytes(std::string_view name, std::uint64_t least,
                                std::uint64_t most, std::string_view meaning) {
    return between(bind<Room, Member>(value_form::bytes, name, meaning), least, most);
  }
  template <auto Member>
  static constexpr option time(std::string_view name, std::uint64_t least,
                               std::uint64_t most, std::string_view meaning) {
    auto made =
        between(bind<Room, Member>(value_form::duration, name, meaning), least, most);
    made.whole_seconds = std::same_as<
        std::remove_cvref_t<decltype(std::declval<settings>().*Room.*Member)>, seconds>;
    return made;
  }
};

constexpr option one_of(option of, std::span<const std::string_view> only) {
  of.only = only;
  return of;
}

constexpr option secret(option of, std::string_view alias) {
  of.secret = true;
  of.alias = alias;
  return of;
}

constexpr option hidden(option of) {
  of.hidden = true;
  return of;
}

using net = section<&settings::net>;
using realtime = section<&settings::realtime>;
using auth = section<&settings::auth>;
using mail = section<&settings::mail>;
using storage = section<&settings::storage>;
using rest = section<&settings::rest>;
using engine = section<&settings::engine>;
using tools = section<&settings::tools>;
using inference = section<&settings::inference>;
using embedding = section<&settings::embedding>;
using memory = section<&settings::memory>;
using log = section<&settings::log>;

constexpr auto table = std::array{
    net::text<&net_settings::host>("net.host", "Address to bind."),
    net::count<&net_settings::port>("net.port", 0, 65'535,
                                    "Port to bind; 0: any free one, printed at start."),
    net::text<&net_settings::public_url>(
        "net.public_url",
        "The server's URL as clients see it; empty: `http://host:port`."),
    net::text<&net_settings::allowed_origins>(
        "net.allowed_origins",
        "Web pages that may open a WebSocket: origins like `https://chat.example`, "
        "between commas; empty: any. Clients that are no browsers are not asked."),
    net::count<&net_settings::trusted_proxies>(
        "net.trusted_proxies", 0, 16,
        "Proxies in front of the server, each of which adds the address it was asked "
        "from to `X-Forwarded-For`; 0: the header is not read."),
    net::count<&net_settings::threads>(
        "net.threads", 0, 256, "Threads for sockets; 0: half the cores, at least 1."),
    net::count<&net_settings::max_connections>(
        "net.max_connections", 1, max_count,
        "Sockets at once; more are closed when they are accepted."),
    net::bytes<&net_settings::max_header_bytes>("net.max_header_bytes", kib, mib,
                                                "Request line and headers together."),
    net::bytes<&net_settings::max_body_bytes>("net.max_body_bytes", kib, 64 * mib,
                                              "Body of one request."),
    net::time<&net_settings::header_timeout>(
        "net.header_timeout", second, hour,
        "From accept, or the previous answer, to a whole request."),
    net::time<&net_settings::keep_alive>("net.keep_alive", second, hour,
                                         "How long an HTTP connection may idle."),
    net::time<&net_settings::request_timeout>(
        "net.request_timeout", second, hour,
        "How long a request may take before it is answered with 504."),
    net::time<&net_settings::drain_timeout>(
        "net.drain_timeout", 0, hour,
        "On SIGTERM: how long what is under way may take to finish."),
    net::path<&net_settings::web_root>(
        "net.web_root",
        "Folder of the web page; empty: the one next to the binary, if any."),

    realtime::bytes<&realtime_settings::max_frame_bytes>(
        "realtime.max_frame_bytes", kib, 64 * mib,
        "One message from a client; a larger one closes the socket with 1009."),
    realtime::bytes<&realtime_settings::outbox_bytes>(
        "realtime.outbox_bytes", 4 * kib, 1024 * mib,
        "Unsent bytes for one client; past that it is closed with 1013."),
    realtime::time<&realtime_settings::idle_timeout>(
        "realtime.idle_timeout", second, hour,
        "A socket without a message for so long is closed; clients beat every 25 s."),
    realtime::time<&realtime_settings::ping_after>(
        "realtime.ping_after", second, hour,
        "A socket from which nothing came for so long is sent a ping."),
    realtime::time<&realtime_settings::pong_within>(
        "realtime.pong_within", second, hour,
        "Closed when nothing came for so long after the ping."),
    realtime::count<&realtime_settings::channels_per_socket>(
        "realtime.channels_per_socket", 1, 10'000, "Topics one socket may join."),
    realtime::count<&realtime_settings::joins_per_second>(
        "realtime.joins_per_second", 1, 100'000,
        "Joins of one socket; one more closes it. A client that comes back joins all "
        "its channels at once."),
    realtime::count<&realtime_settings::events_per_second>(
        "realtime.events_per_second", 1, 100'000, "Events one socket may send."),
    realtime::bytes<&realtime_settings::bytes_per_second>(
        "realtime.bytes_per_second", kib, 1024 * mib, "Bytes of one socket's events."),
    realtime::count<&realtime_settings::user_joins_per_second>(
        "realtime.user_joins_per_second", 1, 1'000'000,
        "Joins of all sockets of a user on this node."),
    realtime::count<&realtime_settings::user_events_per_second>(
        "realtime.user_events_per_second", 1, 1'000'000,
        "Events of all sockets of a user on this node."),
    realtime::bytes<&realtime_settings::user_bytes_per_second>(
        "realtime.user_bytes_per_second", kib, 2048 * mib,
        "Bytes of the events of all sockets of a user on this node."),
    realtime::count<&realtime_settings::max_clients>(
        "realtime.max_clients", 1, max_count,
        "Sockets with a channel; the joins of more are refused."),
    realtime::bytes<&realtime_settings::payload_bytes>(
        "realtime.payload_bytes", kib, 64 * mib,
        "Payload of one broadcast; a larger one is refused."),
    realtime::toggle<&realtime_settings::public_channels>(
        "realtime.public_channels",
        "Whether channels without rights may be used; false: private ones only."),
    realtime::count<&realtime_settings::max_topic_bytes>(
        "realtime.max_topic_bytes", 64, 255, "Length of a topic's name, in bytes."),
    realtime::count<&realtime_settings::presence_per_channel>(
        "realtime.presence_per_channel", 1, 100'000,
        "Presence calls (track, untrack) of one socket on one channel in 30 s."),
    realtime::bytes<&realtime_settings::presence_bytes>(
        "realtime.presence_bytes", 64, mib,
        "What a client may track; the state of a channel is that of all its clients."),
    realtime::count<&realtime_settings::judges>(
        "realtime.judges", 1, 64,
        "Connections that ask row security who may join a private channel."),
    realtime::count<&realtime_settings::judge_queue>(
        "realtime.judge_queue", 1, max_count,
        "Joins that may wait for such a connection; more are refused."),

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

    storage::path<&storage_settings::directory>(
        "storage.directory", "Where state lives: the database, the keys."),
    secret(storage::text<&storage_settings::url>(
               "storage.url", "PostgreSQL to use (URL or keywords); empty: our own."),
           "database.url"),
    storage::path<&storage_settings::bin_dir>(
        "storage.bin_dir", "Folder of PostgreSQL's programs; empty: looked up."),
    storage::count<&storage_settings::writers>(
        "storage.writers", 1, 64, "Connections that store messages and replies."),
    storage::count<&storage_settings::readers>(
        "storage.readers", 1, 256,
        "Connections for prompts, logins and stored broadcasts."),
    storage::count<&storage_settings::read_queue>(
        "storage.read_queue", 1, max_count,
        "Reads that may wait for a connection; then 429."),
    storage::count<&storage_settings::write_queue>(
        "storage.write_queue", 1, max_count,
        "Writes that may wait for a connection; then 429."),
    storage::count<&storage_settings::batch_rows>("storage.batch_rows", 1, 10'000,
                                                  "Rows that share one commit."),
    one_of(storage::text<&storage_settings::send_rule>(
               "storage.send_rule",
               "What decides who may send: conversation ownership, in one statement "
               "for many, or every row's policies, for projects that changed them."),
           send_rules),
    storage::count<&storage_settings::max_rows>("storage.max_rows", 1, 100'000,
                                                "Rows of one REST answer."),
    storage::time<&storage_settings::connect_timeout>(
        "storage.connect_timeout", second, hour, "To connect to the database."),
    storage::time<&storage_settings::start_timeout>(
        "storage.start_timeout", second, hour,
        "To wait for the database when the server starts."),
    storage::time<&storage_settings::statement_timeout>(
        "storage.statement_timeout", second, 25 * second,
        "For one statement of a REST request, unless its role has a limit of its own."),

    rest::count<&rest_settings::readers>(
        "rest.readers", 1, 256, "Connections for REST requests that only read."),
    rest::count<&rest_settings::writers>(
        "rest.writers", 1, 256, "Connections for REST requests that may write."),
    rest::count<&rest_settings::queue>(
        "rest.queue", 1, max_count,
        "REST requests of each kind that may wait for a connection; then 503."),

    engine::text<&engine_settings::url>(
        "engine.url",
        "A server with OpenAI's chat completions, up to `/v1`; empty: the "
        "built-in engine answers, or `[[providers]]` do."),
    hidden(engine::text<&engine_settings::key>("engine.key", "Its key.")),
    engine::path<&engine_settings::key_file>("engine.key_file",
                                             "A file that holds the key."),
    engine::text<&engine_settings::model>(
        "engine.model", "The model of conversations that name none; empty: the first "
                        "one that the server lists."),
    engine::text<&engine_settings::proxy>(
        "engine.proxy", "An HTTP proxy on the way, like `http://proxy:3128`."),
    engine::path<&engine_settings::ca_file>(
        "engine.ca_file",
        "Certificates its own must descend from; empty: the system's."),
    one_of(engine::text<&engine_settings::prefill>(
               "engine.prefill",
               "How the server goes on with a reply that was cut: not at all, when its "
               "text is the last message, or with vLLM's `continue_final_message`."),
           prefills),
    engine::count<&engine_settings::context_tokens>(
        "engine.context_tokens", 0, 10'000'000,
        "What a model is shown of a conversation and may answer, together, by "
        "estimate: older turns are left out; 0: all that was loaded."),
    engine::count<&engine_settings::reply_tokens>(
        "engine.reply_tokens", 1, 1'000'000,
        "Of these, kept for the reply when it names no max_tokens; at most half."),
    engine::count<&engine_settings::max_concurrency>(
        "engine.max_concurrency", 1, max_count, "Replies it writes at once."),
    engine::count<&engine_settings::queue>(
        "engine.queue", 0, max_count,
        "Replies that may wait for that; further ones go to the next provider."),
    engine::time<&engine_settings::queue_timeout>("engine.queue_timeout", 10, hour,
                                                  "How long they may wait."),
    engine::time<&engine_settings::connect_timeout>(
        "engine.connect_timeout", 10, hour, "To find, reach and verify the server."),
    engine::time<&engine_settings::first_token_timeout>(
        "engine.first_token_timeout", 10, hour,
        "From the question to the first token; local models may have to be loaded."),
    engine::time<&engine_settings::token_timeout>("engine.token_timeout", 10, hour,
                                                  "Between two tokens."),
    engine::time<&engine_settings::total_timeout>("engine.total_timeout", 10, 24 * hour,
                                                  "For one answer."),
    engine::bytes<&engine_settings::max_reply_bytes>(
        "engine.max_reply_bytes", 1, 256 * kib,
        "One reply; a message cannot hold more. A longer one fails."),
    engine::count<&engine_settings::keep_alive_connections>(
        "engine.keep_alive_connections", 0, 10'000,
        "Connections kept open for the next reply."),
    engine::time<&engine_settings::keep_alive>("engine.keep_alive", 10, hour,
                                               "How long they are kept."),
    engine::count<&engine_settings::breaker_failures>(
        "engine.breaker_failures", 1, max_count,
        "Failures in a row after which a provider is left alone."),
    engine::time<&engine_settings::breaker_pause>(
        "engine.breaker_pause", 10, hour,
        "How long it is left alone; then one reply tries it."),
    engine::toggle<&engine_settings::tools>(
        "engine.tools", "Whether it is told of tools; some servers refuse them."),
    tools::count<&tools_settings::rounds>(
        "engine.tool_rounds", 0, 20,
        "How often one reply may call tools; then it has to be written. 0: no tools."),
    tools::count<&tools_settings::at_once>("engine.tools_at_once", 1, 16,
                                           "Calls of one reply at once."),
    tools::toggle<&tools_settings::search_memory>(
        "engine.search_memory_tool",
        "Whether engines may search the user's memory, where there is one."),

    one_of(inference::text<&inference_settings::engine>(
               "inference.engine",
               "What writes the replies: the providers when there are any, else the "
               "built-in engine; or that alone."),
           engines),
    inference::count<&inference_settings::slots>("inference.slots", 1, max_count,
                                                 "Replies written at once."),
    inference::count<&inference_settings::per_user>(
        "inference.per_user", 1, max_count,
        "Replies to one user written at once; further ones wait, users take turns."),
    inference::time<&inference_settings::lease>(
        "inference.lease", 2 * second, 60 * second,
        "A node that is silent this long loses its jobs; at least 3 heartbeats."),
    inference::time<&inference_settings::heartbeat>(
        "inference.heartbeat", 100, 20 * second,
        "How often a node renews its lease and looks for jobs."),
    inference::time<&inference_settings::checkpoint_every>(
        "inference.checkpoint_every", 100, hour,
        "How often the text of a running reply is stored."),
    inference::count<&inference_settings::history_turns>(
        "inference.history_turns", 0, 1000,
        "Earlier messages that are loaded for a reply; the model is shown those that "
        "fit "
        "engine.context_tokens."),
    inference::toggle<&inference_settings::titles>(
        "inference.titles",
        "Whether a language model names conversations after their first exchange."),
    inference::count<&inference_settings::titles_at_once>(
        "inference.titles_at_once", 1, max_count, "Titles written at once."),
    inference::count<&inference_settings::title_queue>(
        "inference.title_queue", 0, max_count,
        "Conversations that may wait for that; the others keep their first words."),
    inference::bytes<&inference_settings::max_content_bytes>(
        "inference.max_content_bytes", 1, 16 * mib, "One message."),
    inference::count<&inference_settings::tokens_per_second>(
        "inference.tokens_per_second", 0, 100'000,
        "Pace of the built-in engine; 0: no pause."),

    one_of(embedding::text<&embedding_settings::engine>(
               "embedding.engine",
               "What turns texts into vectors: a model of this machine, an "
               "OpenAI-compatible server, or nothing, which is without memory."),
           embedders),
    embedding::path<&embedding_settings::model_directory>(
        "embedding.model_directory",
        "Folder of the model's files; empty: `models/use-lite` in "
        "`storage.directory`."),
    embedding::toggle<&embedding_settings::quantized>(
        "embedding.quantized",
        "Whether the folder's int8 weights are used: smaller, faster, a little less "
        "exact."),
    embedding::count<&embedding_settings::threads>(
        "embedding.threads", 0, 256,
        "Threads of one run of the model; 0: what its folder says, else 1."),
    embedding::count<&embedding_settings::match_percent>(
        "embedding.match_percent", 0, 100,
        "Least cosine, in hundredths, of texts that count as alike; 0: what the "
        "model's "
        "folder says."),
    embedding::text<&embedding_settings::openai_url>(
        "embedding.openai_url",
        "The server; `/v1/embeddings` is appended. Needed for `openai`."),
    hidden(embedding::text<&embedding_settings::openai_key>(
        "embedding.openai_key", "Its API key; empty: none is sent.")),
    embedding::text<&embedding_settings::openai_model>(
        "embedding.openai_model", "The model's name there. Needed for `openai`."),
    embedding::count<&embedding_settings::openai_dimensions>(
        "embedding.openai_dimensions", 0, 16'000,
        "Numbers of one of its vectors. Needed for `openai`."),
    embedding::toggle<&embedding_settings::openai_ask_dimensions>(
        "embedding.openai_ask_dimensions",
        "Whether the server is asked to shorten its vectors to that."),
    embedding::count<&embedding_settings::openai_max_tokens>(
        "embedding.openai_max_tokens", 32, 100'000,
        "Tokens of one text, as estimated here; longer ones are cut into pieces."),
    embedding::text<&embedding_settings::openai_query_prefix>(
        "embedding.openai_query_prefix", "Put before a text that is searched for."),
    embedding::text<&embedding_settings::openai_document_prefix>(
        "embedding.openai_document_prefix", "Put before a text that may be found."),
    embedding::count<&embedding_settings::openai_batch>("embedding.openai_batch", 1,
                                                        2048, "Texts of one request."),
    embedding::count<&embedding_settings::openai_attempts>(
        "embedding.openai_attempts", 1, 10, "Times one request is tried."),
    embedding::time<&embedding_settings::openai_retry_after>(
        "embedding.openai_retry_after", 10, hour,
        "Pause before the second; each further one is twice as long, or what the "
        "server asks for."),
    embedding::time<&embedding_settings::openai_connect_timeout>(
        "embedding.openai_connect_timeout", second, hour, "To connect to the server."),
    embedding::time<&embedding_settings::openai_timeout>(
        "embedding.openai_timeout", second, hour, "For one attempt as a whole."),
    embedding::count<&embedding_settings::batch>(
        "embedding.batch", 1, 1024,
        "Messages taken at once to be embedded, and pieces of them given to the model "
        "together."),
    embedding::count<&embedding_settings::query_threads>(
        "embedding.query_threads", 1, 64,
        "Threads that embed what somebody waits for: queries, embed-generator."),
    embedding::count<&embedding_settings::query_queue>(
        "embedding.query_queue", 1, max_count,
        "Such requests that may wait for one of them; then 429."),
    embedding::count<&embedding_settings::max_texts>("embedding.max_texts", 1, 2048,
                                                     "Texts of one such request."),
    embedding::bytes<&embedding_settings::max_text_bytes>(
        "embedding.max_text_bytes", 1, 16 * mib, "One of its texts."),

    memory::count<&memory_settings::shards>(
        "memory.shards", 0, 256,
        "Parts of the index, each with a thread; 0: one a core."),
    one_of(memory::text<&memory_settings::form>(
               "memory.form",
               "Vectors in memory: exact, or a quarter of the size and a "
               "little less exact."),
           vector_forms),
    memory::count<&memory_settings::graph_from>(
        "memory.graph_from", 100, 100 * max_count,
        "Pieces of one user from which they are searched by a graph (HNSW)."),
    memory::count<&memory_settings::budget_mb>(
        "memory.budget_mb", 0, max_count,
        "Memory of all vectors, in MiB; beyond it users that were not searched lately "
        "are read again when they are; 0: no limit."),
    memory::time<&memory_settings::save_every>(
        "memory.save_every", second, 24 * hour,
        "How often the index's files are written."),
    memory::count<&memory_settings::save_after>(
        "memory.save_after", 1, 100 * max_count,
        "Changes of a part after which its file is written sooner."),
    memory::count<&memory_settings::queue>("memory.queue", 1, max_count,
                                           "Searches at once; then 429."),
    memory::count<&memory_settings::readers>(
        "memory.readers", 1, 256, "Connections that fetch what searches found."),
    memory::text<&memory_settings::language>(
        "memory.language",
        "PostgreSQL's text search configuration for hybrid searches."),
    memory::time<&memory_settings::wait>(
        "memory.wait", 0, 60 * second,
        "How long a search waits for the index to reach its `after_lsn`."),
    memory::count<&memory_settings::max_results>("memory.max_results", 1, 1000,
                                                 "Messages that one search finds."),
    memory::count<&memory_settings::prompt_memories>(
        "memory.prompt_memories", 0, 50,
        "Memories that the engine is given with a message; 0: none."),
    memory::count<&memory_settings::prompt_tokens>("memory.prompt_tokens", 0, 100'000,
                                                   "All of them together, about."),
    memory::time<&memory_settings::prompt_timeout>(
        "memory.prompt_timeout", 1, 60 * second,
        "How long a reply waits for memories; then it is written without."),

    one_of(log::text<&log_settings::level>("log.level", "Least level that is logged."),
           levels),
};

} // namespace

std::span<const option> options() {
  return table;
}

} // namespace jessica::config
