#include "actors/system.hpp"

#include "actors/accounts.hpp"
#include "actors/broadcaster.hpp"
#include "actors/catalog.hpp"
#include "actors/changefeed.hpp"
#include "actors/clerk.hpp"
#include "actors/codes.hpp"
#include "actors/dispatcher.hpp"
#include "actors/doorkeeper.hpp"
#include "actors/embedder.hpp"
#include "actors/embedding.hpp"
#include "actors/errors.hpp"
#include "actors/gateway.hpp"
#include "actors/hub.hpp"
#include "actors/indexer.hpp"
#include "actors/inference.hpp"
#include "actors/judge.hpp"
#include "actors/keeper.hpp"
#include "actors/mailer.hpp"
#include "actors/memory.hpp"
#include "actors/memory_files.hpp"
#include "actors/memory_reader.hpp"
#include "actors/meter.hpp"
#include "actors/persistence.hpp"
#include "actors/porter.hpp"
#include "actors/reader.hpp"
#include "actors/search.hpp"
#include "actors/session.hpp"
#include "actors/supervision.hpp"
#include "actors/teller.hpp"
#include "actors/titler.hpp"
#include "ops/log.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace jessica::actors {
namespace {

/// Measured best for few cores: one shared queue, and no actor keeps a worker for long.
struct scheduler_config : caf::actor_system_config {
  scheduler_config() {
    constexpr auto messages_a_turn = std::size_t{64};
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads",
        std::max(std::size_t{2}, std::size_t{std::thread::hardware_concurrency()}));
    set("scheduler.max-throughput", messages_a_turn);
  }
};

/// The wall clock, in the unit tokens use.
[[nodiscard]] std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

[[nodiscard]] inference_tools tools_of(const system_options& options) {
  const auto& set = options.settings.tools;
  return {.runner = options.tools,
          .search_memory = set.search_memory,
          .rounds = set.rounds,
          .at_once = set.at_once};
}

/// Most sockets come with the same API key: they share what it says.
class shared_identity {
public:
  [[nodiscard]] std::shared_ptr<const identity> shared(identity who) {
    const auto hold = std::lock_guard{lock_};
    if (!last_ || last_->role != who.role || last_->claims != who.claims ||
        last_->expires != who.expires || last_->user != who.user)
      last_ = std::make_shared<const identity>(std::move(who));
    return last_;
  }

private:
  std::mutex lock_;
  std::shared_ptr<const identity> last_;
};

} // namespace

struct system::state {
  system_options options;
  scheduler_config config;
  caf::actor_system sys{config};
  std::vector<caf::actor> services; ///< in order of their start
  hub_actor hub;
  persistence_actor persistence;
  std::vector<judge_actor> judges;
  reader_actor readers;
  catalog_actor catalog;
  clerk_actor rest_readers;
  clerk_actor rest_writers;
  accounts_actor accounts;
  mail_desk_ptr desk;
  codes_actor codes;
  text_embedder_actor embedder; ///< of texts: searches use it
  text_embedder_actor embedders;
  embedding_actor embedding;
  std::shared_ptr<std::atomic<bool>> mail_ends =
      std::make_shared<std::atomic<bool>>(false);
  dispatcher_actor dispatcher;
  changefeed_actor changefeed;
  doorkeeper_actor doorkeeper;
  broadcaster_actor broadcaster;
  std::vector<search_actor> searches;
  indexer_actor indexer;
  memory_actor memory;
  titler_actor titler;
  teller_actor teller;
  std::shared_ptr<const std::vector<price>> prices =
      std::make_shared<const std::vector<price>>(options.settings.quota.prices);
  gateway_actor gateway;
  std::shared_ptr<const session_deps> sessions;
  std::atomic<socket_number> next_socket{1};
  shared_identity keys;
  bool stopped = false;

  explicit state(system_options with) : options(std::move(with)) {}

  template <class Handle>
  [[nodiscard]] Handle supervise(std::string name, make_child make) {
    auto made =
        sys.spawn(supervisor, supervisor_options{std::move(name), std::move(make)});
    services.push_back(made);
    return caf::actor_cast<Handle>(made);
  }

  template <class Handle> [[nodiscard]] Handle share_out(pool_options how) {
    auto made = sys.spawn(pool, std::move(how));
    services.push_back(made);
    return caf::actor_cast<Handle>(made);
  }

  [[nodiscard]] account_worker_actor account_lane(std::string name, std::size_t threads,
                                                  std::size_t queue,
                                                  decltype(account_worker)& worker) {
    return share_out<account_worker_actor>(
        {std::move(name), threads, queue, [this, &worker] {
           return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(
               worker, options.database, options.settings.auth, desk));
         }});
  }

  [[nodiscard]] std::unique_ptr<mail::sender> open_sender() const {
    const auto& how = options.settings.mail;
    if (options.settings.auth.mail_mode == "smtp")
      return mail::make_smtp(how, mail_ends);
    return mail::make_sink(options.settings.storage.directory / "mail", how.sink_files);
  }

  void start_mail() {
    if (options.settings.auth.mail_mode == "none")
      return;
    const auto rules =
        storage::mail_rules{options.settings.auth, options.settings.mail,
                            storage::code_key::derive(options.credentials.jwt_secret)};
    const auto how = std::make_shared<const mailer_options>(
        options.database, rules, [this] { return open_sender(); });
    auto sender = supervise<mailer_actor>("MAILER", [this, how] {
      return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(mailer, how));
    });
    desk = std::make_shared<const mail_desk>(rules, std::move(sender));
    const auto& limits = options.settings.auth;
    codes = share_out<codes_actor>(
        {"CODES", limits.session_threads, limits.session_queue, [this] {
           return caf::actor_cast<caf::actor>(
               sys.spawn<caf::detached>(code_worker, options.database, desk));
         }});
  }

  void start_embedding() {
    if (!options.embedder)
      return;
    const auto& limits = options.settings.embedding;
    const auto how =
        embedder_deps{options.embedder, options.database, options.node, limits.batch};
    embedder = share_out<text_embedder_actor>(
        {"EMBEDDER", limits.query_threads, limits.query_queue, [this, how] {
           return caf::actor_cast<caf::actor>(
               sys.spawn<caf::detached>(actors::embedder, how));
         }});
    const auto messages = share_out<text_embedder_actor>(
        {"EMBEDDER of messages", 1, limits.query_queue, [this, how] {
           return caf::actor_cast<caf::actor>(
               sys.spawn<caf::detached>(actors::embedder, how));
         }});
    embedders = supervise<text_embedder_actor>("EMBEDDERS", [this, messages] {
      return caf::actor_cast<caf::actor>(
          sys.spawn(actors::embedder_lanes, embedder, messages));
    });
    const auto texts = text_desk_options{options.database, options.node, limits.batch};
    const auto deps = embedding_deps{
        options.embedder, [texts] { return open_text_desk(texts); },
        std::make_shared<std::optional<storage::model_number>>(), limits.batch};
    embedding = supervise<embedding_actor>("EMBEDDING", [this, deps] {
      return caf::actor_cast<caf::actor>(
          sys.spawn<caf::detached>(actors::embedding, deps));
    });
  }

  void start_accounts() {
    const auto& limits = options.settings.auth;
    auto slow = account_lane("sign-in lane", limits.hash_threads, limits.hash_queue,
                             hashing_account_worker);
    auto quick = account_lane("session lane", limits.session_threads,
                              limits.session_queue, account_worker);
    accounts = supervise<accounts_actor>("ACCOUNTS", [this, slow, quick] {
      return caf::actor_cast<caf::actor>(sys.spawn(actors::accounts, slow, quick));
    });
  }

  void start_readers() {
    const auto& limits = options.settings.storage;
    const auto how =
        reader_options{options.database, options.settings.inference.history_turns};
    readers = share_out<reader_actor>(
        {"readers", limits.readers, limits.read_queue, [this, how] {
           return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(reader, how));
         }});
  }

  void start_judges() {
    const auto& limits = options.settings.realtime;
    for (auto i = std::size_t{0}; i < limits.judges; ++i)
      judges.push_back(supervise<judge_actor>("JUDGE", [this, &limits] {
        return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(
            judge, judge_deps{judge_on(options.database), limits.judge_queue}));
      }));
  }

  [[nodiscard]] clerk_actor start_clerk(std::string name, std::size_t lines,
                                        bool writes) {
    const auto& set = options.settings.storage;
    const auto limits = storage::rest_limits{static_cast<std::int64_t>(set.max_rows),
                                             set.statement_timeout};
    auto opener = supervise<porter_actor>("PORTER", [this, limits] {
      return caf::actor_cast<caf::actor>(
          sys.spawn<caf::detached>(porter, lines_to(options.database, limits)));
    });
    auto deps = clerk_deps{std::move(name), opener, catalog,
                           options.sockets, lines,  options.settings.rest.queue,
                           writes};
    return supervise<clerk_actor>("CLERK", [this, deps] {
      return caf::actor_cast<caf::actor>(sys.spawn(clerk, deps));
    });
  }

  void start_rest() {
    const auto deps = catalog_deps{read_schema_of(options.database),
                                   std::make_shared<std::vector<clerk_actor>>()};
    catalog = supervise<catalog_actor>("CATALOG", [this, deps] {
      return caf::actor_cast<caf::actor>(
          sys.spawn<caf::detached>(actors::catalog, deps));
    });
    rest_readers = start_clerk("REST readers", options.settings.rest.readers, false);
    rest_writers = start_clerk("REST writers", options.settings.rest.writers, true);
  }

  void start_persistence() {
    const auto& limits = options.settings.storage;
    const auto rule =
        limits.send_rule == "policies" ? send_rule::policies : send_rule::owner;
    const auto start_committer = [this](std::function<commit_batch()> make) {
      return supervise<committer_actor>("COMMITTER", [this, make] {
        return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(committer, make()));
      });
    };
    auto deps = persistence_deps{{}, {}, limits.batch_rows, limits.write_queue};
    for (auto i = std::size_t{0}; i < limits.writers; ++i)
      deps.committers.push_back(
          start_committer([this, rule] { return commit_to(options.database, rule); }));
    deps.progress =
        start_committer([this] { return commit_progress_to(options.database); });
    persistence = supervise<persistence_actor>("PERSISTENCE", [this, deps] {
      return caf::actor_cast<caf::actor>(sys.spawn(actors::persistence, deps));
    });
  }

  void start_teller() {
    constexpr auto asks_that_may_wait = std::size_t{4096};
    teller = share_out<teller_actor>(
        {"TELLER", 1, asks_that_may_wait, [this] {
           return caf::actor_cast<caf::actor>(
               sys.spawn<caf::detached>(actors::teller, options.database));
         }});
  }

  void start_dispatcher() {
    const auto& limits = options.settings.inference;
    const auto how = keeper_options{options.database, options.node, limits.lease};
    constexpr auto asks_that_may_wait = std::size_t{8};
    auto lease_keeper = share_out<keeper_actor>(
        {"KEEPER", 1, asks_that_may_wait, [this, how] {
           return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(keeper, how));
         }});
    auto deps = dispatcher_deps{lease_keeper,
                                persistence,
                                readers,
                                [this](dispatcher_actor boss, job what,
                                       std::shared_ptr<const lease_watch> lease) {
                                  return start_job(std::move(boss), std::move(what),
                                                   std::move(lease));
                                },
                                limits.slots,
                                limits.per_user,
                                limits.heartbeat,
                                limits.lease};
    dispatcher = supervise<dispatcher_actor>("DISPATCHER", [this, deps] {
      return caf::actor_cast<caf::actor>(sys.spawn(actors::dispatcher, deps));
    });
  }

  [[nodiscard]] inference_actor start_job(dispatcher_actor boss, job what,
                                          std::shared_ptr<const lease_watch> lease) {
    auto deps = inference_deps{hub,
                               persistence,
                               readers,
                               std::move(boss),
                               options.engine,
                               std::move(lease),
                               options.settings.inference.checkpoint_every,
                               options.embedder ? memory : memory_actor{},
                               options.settings.memory.prompt_timeout,
                               titler,
                               tools_of(options),
                               prices,
                               teller};
    return sys.spawn(inference, std::move(deps), std::move(what));
  }

  void start_titler() {
    const auto& limits = options.settings.inference;
    if (!limits.titles || !options.engine->follows_instructions())
      return;
    auto deps = titler_deps{options.engine,
                            [this] { return open_title_desk(options.database); },
                            limits.titles_at_once, limits.title_queue};
    deps.teller = teller;
    deps.prices = prices;
    titler = supervise<titler_actor>("TITLER", [this, deps] {
      return caf::actor_cast<caf::actor>(
          sys.spawn<caf::detached>(actors::titler, deps));
    });
  }

  void start_doorkeeper() {
    constexpr auto remembered_ends = std::size_t{32'768};
    auto deps = doorkeeper_deps{
        readers, std::make_shared<doorkeeper_memory>(remembered_ends), wall_clock};
    doorkeeper = supervise<doorkeeper_actor>("DOORKEEPER", [this, deps] {
      return caf::actor_cast<caf::actor>(sys.spawn(actors::doorkeeper, deps));
    });
  }

  /// What holds the embeddings, and what keeps it equal to the table.
  void start_searches() {
    const auto& set = options.settings.memory;
    const auto writer = supervise<filer_actor>("FILER", [this] {
      return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(filer));
    });
    for (auto i = std::size_t{0}; i < shard_count(set); ++i) {
      const auto deps = search_deps{shard_options_of(options.settings, i), writer,
                                    set.save_every, set.save_after, set.queue};
      searches.push_back(supervise<search_actor>("SEARCH", [this, deps] {
        return caf::actor_cast<caf::actor>(
            sys.spawn<caf::detached>(actors::search, deps));
      }));
    }
    indexer = supervise<indexer_actor>("INDEXER", [this] {
      return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(
          actors::indexer, indexer_deps{embeddings_of(options.database), searches}));
    });
  }

  void start_memory() {
    const auto& set = options.settings.memory;
    const auto how = memory_reader_options{options.database, set.language};
    auto texts = share_out<memory_reader_actor>(
        {"MEMORY READER", set.readers, set.queue, [this, how] {
           return caf::actor_cast<caf::actor>(
               sys.spawn<caf::detached>(memory_reader, how));
         }});
    auto limits = memory_limits{};
    limits.queue = set.queue;
    limits.wait = set.wait;
    limits.prompt_memories = set.prompt_memories;
    limits.prompt_tokens = set.prompt_tokens;
    auto deps = memory_deps{searches, texts, {}, {}, 0, indexer, limits};
    if (options.embedder) {
      deps.embedder = caf::actor_cast<embedder_actor>(embedder);
      deps.model = options.embedder->traits().id;
      deps.match_threshold = options.embedder->traits().match_threshold;
    }
    memory = supervise<memory_actor>("MEMORY", [this, deps] {
      return caf::actor_cast<caf::actor>(sys.spawn(actors::memory, deps));
    });
  }

  void start_gateway() {
    if (!options.settings.gateway.enabled)
      return;
    const auto books =
        supervise<meter_actor>("METER", [this, how = meter_deps{teller, prices}] {
          return caf::actor_cast<caf::actor>(sys.spawn(actors::meter, how));
        });
    auto deps = gateway_deps{options.engine, options.settings.gateway};
    deps.meter = books;
    deps.memory_timeout = options.settings.memory.prompt_timeout;
    if (options.embedder) {
      deps.memory = memory;
      deps.embedder = caf::actor_cast<embedder_actor>(embedder);
      deps.embedding_model = options.embedder->traits().id;
    }
    gateway = supervise<gateway_actor>("GATEWAY", [this, deps] {
      return caf::actor_cast<caf::actor>(sys.spawn(actors::gateway, deps));
    });
  }

  void start_changefeed() {
    auto deps = changefeed_deps{
        options.database,
        {},
        dispatcher,
        catalog,
        doorkeeper,
        hub,
        embedding,
        std::make_shared<change_router>(options.settings.realtime.max_frame_bytes),
        std::make_shared<broadcast_feed>(
            std::chrono::floor<timestamp::duration>(std::chrono::system_clock::now()),
            options.settings.realtime.max_frame_bytes),
        indexer};
    deps.wal.node = options.node;
    constexpr auto slot_timeout = std::chrono::seconds{5}; // a stop waits that long
    deps.wal.slot_timeout = slot_timeout;
    changefeed = supervise<changefeed_actor>("CHANGEFEED", [this, deps] {
      return caf::actor_cast<caf::actor>(
          sys.spawn<caf::detached>(actors::changefeed, deps));
    });
  }

  void start_broadcaster() {
    const auto deps = broadcaster_deps{hub, judges, readers, options.settings.realtime};
    broadcaster = supervise<broadcaster_actor>("BROADCASTER", [this, deps] {
      return caf::actor_cast<caf::actor>(sys.spawn(actors::broadcaster, deps));
    });
  }

  void start() {
    hub = supervise<hub_actor>(
        "HUB", [this] { return caf::actor_cast<caf::actor>(sys.spawn(actors::hub)); });
    start_judges();
    start_readers();
    start_rest();
    start_mail();
    start_accounts();
    start_embedding();
    start_persistence();
    start_searches();
    start_memory();
    start_teller();
    start_titler();
    start_gateway();
    start_dispatcher();
    start_doorkeeper();
    start_changefeed();
    start_broadcaster();
    // The socket gives up after request_timeout: the client shall hear why before.
    const auto longest_join = options.settings.net.request_timeout * 4 / 5;
    sessions = std::make_shared<const session_deps>(session_deps{
        hub, persistence, judges, readers, dispatcher, changefeed, doorkeeper,
        options.credentials, options.settings.realtime,
        options.settings.inference.max_content_bytes, wall_clock, longest_join,
        std::make_shared<crowd>(), memory, options.settings.memory.max_results});
  }

  /// Before the node leaves: texts that it then gives back it must not take again.
  void end_embedding() {
    if (embedding)
      caf::anon_send_exit(embedding, caf::exit_reason::user_shutdown);
  }

  void drain_jobs(std::chrono::milliseconds within) {
    constexpr auto lease_return = std::chrono::seconds{5};
    auto asker = caf::scoped_actor{sys};
    asker->request(dispatcher, within + lease_return, drain{within})
        .receive([](done) {},
                 [](const caf::error& why) {
                   ops::warn("jobs.not_handed_back", {{"cause", from_caf(why).what}});
                 });
  }

  void end_services() {
    mail_ends->store(true);
    if (options.embedder)
      options.embedder->stop();
    for (auto at = services.rbegin(); at != services.rend(); ++at)
      caf::anon_send_exit(*at, caf::exit_reason::user_shutdown);
    services.clear();
    hub = nullptr;
    persistence = nullptr;
    judges.clear();
    readers = nullptr;
    catalog = nullptr;
    rest_readers = nullptr;
    rest_writers = nullptr;
    accounts = nullptr;
    codes = nullptr;
    desk.reset();
    embedder = nullptr;
    embedders = nullptr;
    embedding = nullptr;
    dispatcher = nullptr;
    changefeed = nullptr;
    doorkeeper = nullptr;
    broadcaster = nullptr;
    searches.clear();
    indexer = nullptr;
    memory = nullptr;
    titler = nullptr;
    gateway = nullptr;
    sessions.reset();
  }
};

system::system(system_options options)
    : state_(std::make_unique<state>(std::move(options))) {
  state_->start();
}

system::~system() {
  stop(std::chrono::milliseconds{0});
}

caf::actor_system& system::caf() noexcept {
  return state_->sys;
}
const accounts_actor& system::accounts() const noexcept {
  return state_->accounts;
}
const codes_actor& system::codes() const noexcept {
  return state_->codes;
}
const persistence_actor& system::persistence() const noexcept {
  return state_->persistence;
}
const reader_actor& system::readers() const noexcept {
  return state_->readers;
}
const clerk_actor& system::rest_readers() const noexcept {
  return state_->rest_readers;
}
const clerk_actor& system::rest_writers() const noexcept {
  return state_->rest_writers;
}
const hub_actor& system::hub() const noexcept {
  return state_->hub;
}
const dispatcher_actor& system::dispatcher() const noexcept {
  return state_->dispatcher;
}
const broadcaster_actor& system::broadcaster() const noexcept {
  return state_->broadcaster;
}
const memory_actor& system::memory() const noexcept {
  return state_->memory;
}
const std::vector<search_actor>& system::searches() const noexcept {
  return state_->searches;
}
const teller_actor& system::teller() const noexcept {
  return state_->teller;
}
const gateway_actor& system::gateway() const noexcept {
  return state_->gateway;
}
const text_embedder_actor& system::embedder() const noexcept {
  return state_->embedders;
}

session_actor system::open_session(outbox_ptr out, identity who,
                                   wire::serializer version) {
  auto socket = session_socket{state_->next_socket.fetch_add(1), out, version,
                               state_->keys.shared(std::move(who))};
  // Lazy: its first frame starts it, on the thread that read the frame.
  auto made =
      state_->sys.spawn<caf::lazy_init>(session, state_->sessions, std::move(socket));
  made->attach_functor([weak = std::weak_ptr{out}](const caf::error& reason) {
    if (auto left = weak.lock(); left && reason)
      left->close(close_code::internal_error);
  });
  return made;
}

void system::stop(std::chrono::milliseconds drain_for) {
  if (std::exchange(state_->stopped, true))
    return;
  state_->end_embedding();
  state_->drain_jobs(drain_for);
  state_->end_services();
}

} // namespace jessica::actors
