// Every option and every limit, with its default. A room receives its own struct;
// config/options.cpp gives each member its name, environment variable and bounds.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace jessica::config {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct net_settings {
  std::string host = "127.0.0.1";  ///< address to bind; loopback unless told otherwise
  std::uint16_t port = 54321;      ///< 0: any free port, printed at start
  std::string public_url;          ///< as clients see us; empty: http://host:port
  std::string allowed_origins;     ///< of WebSockets, between commas; empty: any
  std::size_t trusted_proxies = 0; ///< in front of us, each adding to X-Forwarded-For
  std::size_t threads = 0;         ///< reactors; 0: half the cores, at least 1
  std::size_t max_connections = 19'000;  ///< sockets at once; more are closed at accept
  std::size_t max_header_bytes = 16'384; ///< request line and headers together
  std::size_t max_body_bytes = 1'048'576;
  seconds header_timeout{
      10};                ///< from accept (or the previous answer) to a whole request
  seconds keep_alive{75}; ///< an HTTP connection may idle this long
  seconds request_timeout{15};    ///< an actor must have answered by then
  seconds drain_timeout{10};      ///< on SIGTERM: what is under way may finish
  std::filesystem::path web_root; ///< the page; empty: next to the binary, else none
};

struct realtime_settings {
  std::size_t max_frame_bytes = 1'048'576; ///< larger frames end the socket with 1009
  std::size_t outbox_bytes = 1'048'576;    ///< unsent bytes a client; then 1013
  seconds idle_timeout{75};                ///< the client's heartbeat comes every 25 s
  seconds ping_after{15};  ///< nothing came for so long: is the client's machine there?
  seconds pong_within{10}; ///< then the socket is closed
  std::size_t channels_per_socket = 100;
  std::size_t max_clients = 16'000;         ///< sockets with a channel, of the node
  std::size_t joins_per_second = 100;       ///< a socket
  std::size_t events_per_second = 100;      ///< a socket, client-sent
  std::size_t bytes_per_second = 4'194'304; ///< a socket, client-sent
  std::size_t user_joins_per_second = 400;  ///< all sockets of a user, of the node
  std::size_t user_events_per_second = 400;
  std::size_t user_bytes_per_second = 16'777'216;
  std::size_t payload_bytes = 1'000'000; ///< of one broadcast
  bool public_channels = true;           ///< else only private ones may be used
  std::size_t max_topic_bytes = 255;
  std::size_t presence_per_channel = 50; ///< track and untrack of a socket in 30 s
  std::size_t presence_bytes = 16'384;   ///< what a client may tell about itself
  std::size_t judges = 2;                ///< connections that ask who may join
  std::size_t judge_queue = 4096;        ///< joins waiting for one of them
};

struct auth_settings {
  seconds token_lifetime{3600};  ///< must exceed 90 s: the client refreshes below that
  std::size_t min_password = 6;  ///< characters
  std::size_t max_password = 72; ///< bytes
  std::string password_characters;       ///< one of each set, between ':'; empty: any
  bool refuse_known_passwords = false;   ///< those that everybody tries first
  bool require_current_password = false; ///< to set another one
  bool signup_enabled = true;
  bool anonymous_enabled = true;
  bool require_apikey = true;
  std::string publishable_key;        ///< sb_publishable_...; empty: of keys.json
  std::string secret_key;             ///< sb_secret_...; empty: of keys.json
  std::filesystem::path signing_keys; ///< JSON Web Keys; empty: the shared secret signs
  std::string trusted_issuer;         ///< whose tokens are accepted beside our own
  std::string trusted_keys_url;  ///< empty: of the issuer, unless there is a secret
  std::string trusted_secret;    ///< of the issuer's HS256 tokens; empty: none
  seconds trusted_refresh{30};   ///< least time between two fetches of its keys
  seconds refresh_reuse{10};     ///< an older refresh token is still answered this long
  seconds session_timebox{0};    ///< a session's whole life; 0: without end
  seconds session_inactivity{0}; ///< between two refreshes; 0: any time
  // Of one address, in five minutes unless it says otherwise; 0: any number.
  std::size_t token_rate = 150;         ///< sign-ins and refreshes
  std::size_t otp_rate = 30;            ///< sign-ups, changes, and each kind of mail
  std::size_t verify_rate = 30;         ///< codes and links shown
  std::size_t anonymous_rate = 30;      ///< anonymous sign-ins, in an hour
  std::size_t wrong_password_rate = 30; ///< of one account, from any address
  std::size_t hash_threads = 1;
  std::size_t hash_queue = 256;    ///< sign-ins waiting for a hashing thread; then 429
  std::size_t session_threads = 1; ///< refresh, user and logout calls
  std::size_t session_queue = 4096;
  std::uint64_t argon2_passes = 2;
  std::size_t argon2_memory_kib = 19'456;
  std::string mail_mode = "none";        ///< none, sink (files) or smtp
  bool autoconfirm = true;               ///< else a sign-up waits for its mail's code
  std::string site_url;                  ///< where links lead; empty: net.public_url
  std::string redirect_urls;             ///< patterns between commas
  seconds otp_lifetime{3600};            ///< of codes and links
  std::size_t otp_attempts = 5;          ///< wrong codes; then the code is spent
  seconds flow_lifetime{300};            ///< of a PKCE code behind a link
  bool require_reauthentication = false; ///< for a password change, after a day
  bool secure_email_change = true;       ///< both addresses confirm, not the new alone
};

/// What goes out by e-mail, and how. Only looked at when auth.mail_mode is not none.
struct mail_settings {
  std::string from;                  ///< the sender's address; smtp needs one
  std::string from_name = "Jessica"; ///< shown beside it, and in the texts
  seconds interval{60};              ///< between two mails to an address
  std::size_t per_hour = 30;         ///< mails of the whole server
  std::size_t sink_files = 200;      ///< kept in sink mode; the oldest go
  std::string smtp_host;
  std::uint16_t smtp_port = 587;
  std::string smtp_user; ///< empty: without signing in
  std::string smtp_password;
  std::string smtp_tls = "starttls"; ///< starttls, implicit, or none on loopback
  std::filesystem::path ca_file; ///< who vouches for the server; empty: the system's
  seconds connect_timeout{5};
  seconds timeout{20};            ///< of one delivery
  std::size_t attempts = 6;       ///< deliveries of one mail; then it is given up
  milliseconds retry_after{5000}; ///< before the second; each later pause is triple
};

struct storage_settings {
  std::filesystem::path directory = "var"; ///< postgres/, keys.json
  std::string url;               ///< an existing server; empty: our own cluster
  std::filesystem::path bin_dir; ///< PostgreSQL's programs; empty: looked up
  std::size_t writers = 2;
  std::size_t readers = 2;
  std::size_t read_queue = 4096;   ///< reads waiting for a reader; then 429
  std::size_t write_queue = 8192;  ///< writes waiting in one writer; then 429
  std::size_t batch_rows = 200;    ///< rows of one group commit
  std::string send_rule = "owner"; ///< who may send: "owner", or "policies" a row each
  std::size_t max_rows = 1000;     ///< rows of one REST answer
  seconds connect_timeout{5};
  seconds start_timeout{30}; ///< to wait for a database at start
  seconds statement_timeout{8};
};

struct rest_settings {
  std::size_t readers = 8;
  std::size_t writers = 16; ///< a commit waits for the disk: many wait together
  std::size_t queue = 1024; ///< requests waiting for each kind; then 503
};

/// A server that speaks OpenAI's chat completions, and how patient we are with it.
struct provider_settings {
  std::string name = "default"; ///< in logs and metrics
  std::string url;              ///< its base, as http://127.0.0.1:11434/v1
  std::string key;              ///< bearer token; empty: none
  std::string model;            ///< asked for when nobody names one; empty: its first
  std::vector<std::string> models; ///< it answers with, "gpt-*" too; empty: any
  std::vector<std::pair<std::string, std::string>> headers; ///< sent with each request
  std::string proxy;             ///< http://host:port on the way; empty: none
  std::filesystem::path ca_file; ///< who vouches for it; empty: the system's
  std::string prefill = "none";  ///< how it goes on with a text: none, assistant, vllm
  std::size_t context_tokens = 8000; ///< prompt and reply together; 0: any number
  std::size_t reply_tokens = 1000;   ///< of these, kept for a reply that names no limit
  std::size_t max_concurrency = 1000; ///< replies at once
  std::size_t queue = 4096; ///< replies waiting for that; then the next provider
  milliseconds queue_timeout{30000};        ///< and how long
  milliseconds connect_timeout{5000};       ///< name, TCP, proxy and TLS together
  milliseconds first_token_timeout{120000}; ///< a local model may have to be loaded
  milliseconds token_timeout{30000};        ///< between two tokens
  milliseconds total_timeout{900000};       ///< of one answer
  std::size_t max_reply_bytes = 262'144;    ///< what a message may hold
  std::size_t keep_alive_connections = 64;  ///< idle ones
  milliseconds keep_alive{30000};           ///< and for how long
  std::size_t breaker_failures = 5;         ///< in a row; then it is left alone
  milliseconds breaker_pause{10000};        ///< so long
  bool tools = true;                        ///< it is told of them
};

/// Something an engine may ask for that an HTTP server does.
struct tool_settings {
  std::string name;
  std::string description; ///< for the engine: what it does, when it is of use
  std::string parameters;  ///< JSON schema of its arguments; empty: it takes none
  std::string url;         ///< is posted the arguments
  std::string key;         ///< bearer token; empty: none
  std::vector<std::pair<std::string, std::string>> headers; ///< sent with each call
  std::filesystem::path ca_file;         ///< who vouches for it; empty: the system's
  milliseconds timeout{10000};           ///< of one call, connecting included
  std::size_t max_result_bytes = 16'384; ///< what is longer is cut
};

/// What engines may have done for them while they write a reply.
struct tools_settings {
  std::size_t rounds = 5;  ///< of calls in one reply; then it must be written; 0: none
  std::size_t at_once = 4; ///< calls of one reply
  bool search_memory = true;      ///< the tool that is built in, where there is memory
  std::vector<tool_settings> all; ///< of [[tools]]
};

/// The language models. The section itself is the first provider when it has a URL;
/// its limits hold for all that do not say otherwise.
struct engine_settings : provider_settings {
  std::filesystem::path key_file;           ///< holds `key`, when that is empty
  std::vector<provider_settings> providers; ///< the whole list, in the order of trust
};

struct inference_settings {
  std::string engine = "auto";  ///< auto: providers when there are any; builtin
  std::size_t slots = 2000;     ///< jobs at once on this node
  std::size_t per_user = 8;     ///< of one user, at once on this node
  seconds lease{10};            ///< a node that is silent this long loses its jobs
  milliseconds heartbeat{1000}; ///< renew, sweep, claim
  milliseconds checkpoint_every{1000};     ///< text so far is stored this often
  std::size_t history_turns = 50;          ///< earlier messages given to the engine
  bool titles = true;                      ///< the engine names new conversations
  std::size_t titles_at_once = 4;          ///< on this node
  std::size_t title_queue = 1000;          ///< conversations that wait for a title
  std::size_t max_content_bytes = 262'144; ///< one message
  std::size_t tokens_per_second = 40;      ///< pace of the built-in engine; 0: no pause
};

/// What turns texts into vectors.
struct embedding_settings {
  std::string engine = "onnx";           ///< onnx, openai, or none: no memory
  std::filesystem::path model_directory; ///< empty: models/use-lite of the state
  bool quantized = false;                ///< the directory's int8 weights
  std::size_t threads = 0;       ///< of one run; 0: as the model's folder says, else 1
  std::size_t match_percent = 0; ///< least cosine of a match; 0: the model's own
  std::string openai_url;        ///< without /v1
  std::string openai_key;        ///< empty: none is sent
  std::string openai_model;
  std::size_t openai_dimensions = 0;    ///< of the model's vectors
  bool openai_ask_dimensions = false;   ///< whether the server is asked for them
  std::size_t openai_max_tokens = 512;  ///< of one text, estimated
  std::string openai_query_prefix;      ///< put before what is searched for
  std::string openai_document_prefix;   ///< put before what is found
  std::size_t openai_batch = 64;        ///< texts of one request
  std::size_t openai_attempts = 3;      ///< of one request
  milliseconds openai_retry_after{500}; ///< before the second; each later one doubles
  seconds openai_connect_timeout{5};
  seconds openai_timeout{30};          ///< of one attempt
  std::size_t batch = 16;              ///< messages taken, and pieces embedded, at once
  std::size_t query_threads = 1;       ///< for texts somebody waits for
  std::size_t query_queue = 256;       ///< requests waiting for one of them; then 429
  std::size_t max_texts = 64;          ///< of one request
  std::size_t max_text_bytes = 65'536; ///< of one of them
};

/// The index of embeddings, and what searches of it may take.
struct memory_settings {
  std::size_t shards = 0;           ///< 0: one a core
  std::string form = "float32";     ///< of vectors in memory: float32 or int8
  std::size_t graph_from = 20'000;  ///< a user's pieces become a graph
  std::size_t budget_mb = 0;        ///< of all vectors; 0: no limit
  seconds save_every{300};          ///< the index file
  std::size_t save_after = 50'000;  ///< changes of a shard
  std::size_t queue = 1024;         ///< searches at once; more get 429
  std::size_t readers = 2;          ///< connections that fetch texts
  std::string language = "english"; ///< of full text: hybrid searches
  milliseconds wait{5000};          ///< for the index to reach after_lsn
  std::size_t max_results = 100;    ///< of one search
  std::size_t prompt_memories = 5;  ///< given to the engine; 0: none
  std::size_t prompt_tokens = 600;  ///< all of them together, about
  milliseconds prompt_timeout{300}; ///< then the engine is asked without
};

struct log_settings {
  std::string level = "info"; ///< debug, info, warn or error
};

struct settings {
  net_settings net;
  realtime_settings realtime;
  auth_settings auth;
  mail_settings mail;
  storage_settings storage;
  rest_settings rest;
  engine_settings engine;
  tools_settings tools;
  inference_settings inference;
  embedding_settings embedding;
  memory_settings memory;
  log_settings log;
};

} // namespace jessica::config
