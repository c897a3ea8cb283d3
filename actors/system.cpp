#include "actors/system.hpp"

#include "actors/errors.hpp"
#include "actors/scheduler_config.hpp"
#include "actors/service_roll.hpp"
#include "actors/services.hpp"
#include "actors/session.hpp"
#include "ops/log.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <atomic>
#include <mutex>
#include <utility>

namespace jessica::actors {
namespace {

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
  service_roll roll{sys};
  channel_services channels;
  storage_services storage;
  account_services accounts;
  memory_services memory;
  reply_services replies;
  feed_services feeds;
  std::shared_ptr<const session_deps> sessions;
  std::atomic<socket_number> next_socket{1};
  shared_identity keys;
  std::shared_ptr<std::atomic<bool>> mail_ends =
      std::make_shared<std::atomic<bool>>(false);
  bool stopped = false;

  explicit state(system_options with) : options(std::move(with)) {}

  /// A group needs those above it.
  void start() {
    channels = start_channels(roll, options);
    storage = start_storage(roll, options);
    accounts = start_accounts(roll, options, mail_ends);
    memory = start_memory(roll, options);
    replies = start_replies(roll, options, channels.hub, storage, memory);
    feeds = start_feeds(roll, options, channels, storage, memory, replies.dispatcher);
    sessions = what_sessions_need();
  }

  [[nodiscard]] std::shared_ptr<const session_deps> what_sessions_need() const {
    const auto& set = options.settings;
    auto deps = session_deps{};
    deps.hub = channels.hub;
    deps.persistence = storage.persistence;
    deps.judges = channels.judges;
    deps.readers = storage.readers;
    deps.dispatcher = replies.dispatcher;
    deps.changefeed = feeds.changefeed;
    deps.doorkeeper = feeds.doorkeeper;
    deps.credentials = options.credentials;
    deps.limits = set.realtime;
    deps.max_content_bytes = set.inference.max_content_bytes;
    deps.now = wall_clock;
    // The socket gives up after request_timeout: the client shall hear why before.
    deps.longest_join = set.net.request_timeout * 4 / 5;
    deps.memory = memory.memory;
    deps.max_memories = set.memory.max_results;
    return std::make_shared<const session_deps>(std::move(deps));
  }

  /// In the reverse order of the start, but for what takes work: it stops first.
  void stop(std::chrono::milliseconds drain_for) {
    end_embedding();
    drain_jobs(drain_for);
    end_services();
  }

  /// Before the node leaves: texts that it then gives back it must not take again.
  void end_embedding() {
    if (memory.embedding)
      caf::anon_send_exit(memory.embedding, caf::exit_reason::user_shutdown);
  }

  void drain_jobs(std::chrono::milliseconds within) {
    constexpr auto lease_return = std::chrono::seconds{5};
    auto asker = caf::scoped_actor{sys};
    asker->request(replies.dispatcher, within + lease_return, drain{within})
        .receive([](done) {},
                 [](const caf::error& why) {
                   ops::warn("jobs.not_handed_back", {{"cause", from_caf(why).what}});
                 });
  }

  void end_services() {
    mail_ends->store(true);
    if (options.embedder)
      options.embedder->stop();
    roll.end();
    channels = {};
    storage = {};
    accounts = {};
    memory = {};
    replies = {};
    feeds = {};
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
  return state_->accounts.accounts;
}
const codes_actor& system::codes() const noexcept {
  return state_->accounts.codes;
}
const persistence_actor& system::persistence() const noexcept {
  return state_->storage.persistence;
}
const reader_actor& system::readers() const noexcept {
  return state_->storage.readers;
}
const clerk_actor& system::rest_readers() const noexcept {
  return state_->storage.rest_readers;
}
const clerk_actor& system::rest_writers() const noexcept {
  return state_->storage.rest_writers;
}
const hub_actor& system::hub() const noexcept {
  return state_->channels.hub;
}
const dispatcher_actor& system::dispatcher() const noexcept {
  return state_->replies.dispatcher;
}
const broadcaster_actor& system::broadcaster() const noexcept {
  return state_->feeds.broadcaster;
}
const memory_actor& system::memory() const noexcept {
  return state_->memory.memory;
}
const std::vector<search_actor>& system::searches() const noexcept {
  return state_->memory.searches;
}
const teller_actor& system::teller() const noexcept {
  return state_->storage.teller;
}
const gateway_actor& system::gateway() const noexcept {
  return state_->replies.gateway;
}
const text_embedder_actor& system::embedder() const noexcept {
  return state_->memory.embedder;
}

session_actor system::open_session(outbox_ptr out, identity who,
                                   wire::serializer version) {
  auto weak = std::weak_ptr{out};
  auto socket = session_socket{state_->next_socket.fetch_add(1), std::move(out),
                               version, state_->keys.shared(std::move(who))};
  // Lazy: its first frame starts it, on the thread that read the frame.
  auto made =
      state_->sys.spawn<caf::lazy_init>(session, state_->sessions, std::move(socket));
  made->attach_functor([weak = std::move(weak)](const caf::error& reason) {
    if (auto left = weak.lock(); left && reason)
      left->close(close_code::internal_error);
  });
  return made;
}

void system::stop(std::chrono::milliseconds drain_for) {
  if (std::exchange(state_->stopped, true))
    return;
  state_->stop(drain_for);
}

} // namespace jessica::actors
