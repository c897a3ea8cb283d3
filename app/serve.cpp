#include "app/serve.hpp"

#include "actors/system.hpp"
#include "app/database.hpp"
#include "app/keys.hpp"
#include "engines/builtin.hpp"
#include "engines/http_tools.hpp"
#include "engines/open_embedder.hpp"
#include "engines/openai.hpp"
#include "net/auth_limits.hpp"
#include "net/issuer_keys.hpp"
#include "net/server.hpp"
#include "net/socket_watches.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "storage/quota.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace jessica::app {
namespace {

/// SIGTERM and SIGINT wait for us in every thread; a closed pipe is an error value.
[[nodiscard]] sigset_t hold_signals() {
  auto held = sigset_t{};
  sigemptyset(&held);
  sigaddset(&held, SIGTERM);
  sigaddset(&held, SIGINT);
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return held;
}

/// Whether one of them came already.
[[nodiscard]] bool told_to_stop() {
  auto came = sigset_t{};
  sigpending(&came);
  return sigismember(&came, SIGTERM) == 1 || sigismember(&came, SIGINT) == 1;
}

/// Looks after the database until a signal comes; returns the signal.
[[nodiscard]] int wait_for_signal(const sigset_t& held, database& db) {
  constexpr auto look_every = timespec{.tv_sec = 0, .tv_nsec = 250'000'000};
  for (;;) {
    const auto got = sigtimedwait(&held, nullptr, &look_every);
    if (got > 0)
      return got;
    db.watch();
  }
}

[[nodiscard]] std::string node_name() {
  constexpr auto longest = std::size_t{64};
  auto host = std::string(longest, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0)
    host = "node";
  host.resize(host.find('\0'));
  return host + ":" + std::to_string(::getpid());
}

int fail_start(const char* what, const error& why) {
  ops::error("server.start_failed", {{"step", what}, {"cause", why.what}});
  std::fprintf(stderr, "jessica: %s: %s\n", what, why.what.c_str());
  return 1;
}

[[nodiscard]] actors::system_options
options_of(const config::settings& settings, const storage::endpoint& where,
           const wire::credentials& credentials,
           std::shared_ptr<engines::text_generator> engine,
           std::shared_ptr<net::socket_watches> to,
           std::shared_ptr<engines::embedder> embedder,
           std::shared_ptr<engines::tool_runner> tools) {
  return {.settings = settings,
          .database = where,
          .credentials = credentials,
          .node = node_name(),
          .engine = std::move(engine),
          .sockets = std::move(to),
          .embedder = std::move(embedder),
          .tools = std::move(tools)};
}

/// A server without memory is still one: what is missing is said in the log.
[[nodiscard]] std::shared_ptr<engines::embedder>
embedder_of(const config::settings& settings) {
  auto opened = engines::open_embedder(settings.embedding, settings.storage.directory);
  if (!opened) {
    ops::warn("embedder.missing", {{"cause", opened.error().what}});
    return nullptr;
  }
  if (!*opened)
    ops::info("embedder.off", {});
  return std::move(*opened);
}

/// The configured providers of language models, or the engine that needs none.
[[nodiscard]] result<std::shared_ptr<engines::text_generator>>
open_engine(const config::settings& settings) {
  const auto& providers = settings.engine.providers;
  if (providers.empty() || settings.inference.engine == "builtin")
    return engines::make_builtin(settings.inference.tokens_per_second);
  auto made = engines::make_openai(providers);
  if (!made)
    return std::unexpected{std::move(made.error())};
  for (const auto& one : providers)
    ops::info("engine.provider",
              {{"provider", one.name}, {"url", one.url}, {"model", one.model}});
  return std::move(*made);
}

/// Null: there are none. The built-in engine calls none, but they must be right.
[[nodiscard]] result<std::shared_ptr<engines::tool_runner>>
open_tools(const config::tools_settings& settings) {
  if (settings.all.empty())
    return nullptr;
  auto made = engines::open_http_tools(settings.all);
  if (!made)
    return std::unexpected{std::move(made.error())};
  for (const auto& one : settings.all)
    ops::info("engine.tool", {{"tool", one.name}, {"url", one.url}});
  return std::move(*made);
}

[[nodiscard]] net::backend
backend_of(actors::system& system, const config::settings& settings,
           const wire::credentials& credentials, const std::string& anon_key,
           std::shared_ptr<net::socket_watches> to, const engines::embedder* embedder) {
  return {
      .actors = system.caf(),
      .accounts = system.accounts(),
      .codes = system.codes(),
      .persistence = system.persistence(),
      .readers = system.readers(),
      .rest_readers = system.rest_readers(),
      .rest_writers = system.rest_writers(),
      .dispatcher = system.dispatcher(),
      .broadcaster = system.broadcaster(),
      .embedder = system.embedder(),
      .embedding_model = embedder ? embedder->traits().id : std::string{},
      .open_session =
          [&system](actors::outbox_ptr out, identity who, wire::serializer version) {
            return system.open_session(std::move(out), std::move(who), version);
          },
      .credentials = credentials,
      .settings = settings,
      .anon_key = anon_key,
      .metrics = ops::metrics_page,
      .sockets = std::move(to),
      .limits = std::make_shared<net::auth_limits>(settings.auth),
      .memory = system.memory(),
      .gateway = system.gateway()};
}

/// Keeps the trusted issuer's keys fresh; null: there are none to fetch.
[[nodiscard]] std::unique_ptr<net::issuer_keys>
watch_issuer(const wire::credentials& credentials,
             const config::auth_settings& settings) {
  auto url = trusted_keys_url(settings);
  if (url.empty())
    return nullptr;
  return std::make_unique<net::issuer_keys>(credentials.trusted, std::move(url),
                                            settings.trusted_refresh);
}

void announce(const net::server& server, const config::settings& settings) {
  auto unreadable = std::error_code{};
  if (const auto& root = settings.net.web_root;
      !root.empty() && !std::filesystem::exists(root / "index.html", unreadable))
    ops::warn("page.missing", {{"file", (root / "index.html").string()}});
  ops::info("server.ready", {{"url", server.url()}, {"port", server.port()}});
  std::printf("Jessica is ready: %s\n", server.url().c_str());
  const auto loopback = settings.net.host == "127.0.0.1" || settings.net.host == "::1";
  if (loopback)
    std::printf("Only this machine can reach it; --net-host 0.0.0.0 opens it.\n");
  std::fflush(stdout);
}

/// The configured limits, for everybody who has none of his own.
[[nodiscard]] result<void> set_limits(const storage::endpoint& where,
                                      const config::quota_settings& in) {
  auto connection = storage::connection{where, storage::role::engine};
  return storage::configure_quota(connection, in);
}

/// Everything is built in this order and stopped in reverse.
int run(const config::settings& settings, const sigset_t& held, database& db) {
  auto keys = open_keys(settings.storage.directory / "keys.json");
  if (!keys)
    return fail_start("keys", keys.error());
  const auto credentials = credentials_of(*keys, settings.auth);
  if (!credentials)
    return fail_start("keys", credentials.error());
  auto engine = open_engine(settings);
  if (!engine)
    return fail_start("engine", engine.error());
  auto tools = open_tools(settings.tools);
  if (!tools)
    return fail_start("tools", tools.error());
  if (const auto set = set_limits(db.where(), settings.quota); !set)
    return fail_start("limits", set.error());
  const auto issuer = watch_issuer(*credentials, settings.auth);
  const auto sockets = std::make_shared<net::socket_watches>();
  const auto embedder = embedder_of(settings);
  auto system =
      actors::system{options_of(settings, db.where(), *credentials, std::move(*engine),
                                sockets, embedder, std::move(*tools))};
  if (issuer)
    issuer->wait_for_first();
  auto server = net::server::open(backend_of(system, settings, *credentials,
                                             keys->anon_key, sockets, embedder.get()));
  if (!server)
    return fail_start("listen", server.error());
  announce(*server, settings);
  const auto got = wait_for_signal(held, db);
  ops::info("server.stopping", {{"signal", got}});
  // A stop that hangs must end too: the alarm's default action ends the process.
  constexpr auto patience = std::chrono::seconds{30};
  const auto drain = std::chrono::seconds{settings.net.drain_timeout};
  alarm(static_cast<unsigned>((2 * drain + patience).count()));
  server->stop(drain);
  system.stop(drain / 2);
  return 0;
}

} // namespace

int serve(const config::settings& settings) {
  const auto held = hold_signals();
  if (const auto free = net::server::check(settings.net); !free)
    return fail_start("listen", free.error());
  auto db = database::open(settings.storage, told_to_stop);
  if (!db && told_to_stop()) {
    ops::info("server.stopped", {{"before", "ready"}, {"cause", db.error().what}});
    return 0;
  }
  if (!db)
    return fail_start("database", db.error());
  const auto code = run(settings, held, *db);
  db->close();
  ops::info("server.stopped", {{"exit_code", code}});
  return code;
}

} // namespace jessica::app
