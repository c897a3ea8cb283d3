// Builds the actors: knows the order in which the groups of services.hpp are started,
// and stops them. Services stand behind supervisors, so a handle stays good across
// restarts.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/code_messages.hpp"
#include "actors/embedding_messages.hpp"
#include "actors/gateway_messages.hpp"
#include "actors/memory_messages.hpp"
#include "actors/outbox.hpp"
#include "actors/protocol.hpp"
#include "actors/quota_messages.hpp"
#include "actors/socket_watch.hpp"
#include "config/settings.hpp"
#include "engines/embedder.hpp"
#include "engines/engine.hpp"
#include "engines/tool_runner.hpp"
#include "storage/endpoint.hpp"
#include "wire/credentials.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace jessica::actors {

struct system_options {
  config::settings settings;
  storage::endpoint database;
  wire::credentials credentials;
  std::string node; ///< this node's name in jessica.nodes
  std::shared_ptr<engines::text_generator> engine;
  std::shared_ptr<socket_watch> sockets;                 ///< of REST's connections
  std::shared_ptr<engines::embedder> embedder = nullptr; ///< null: no memory
  std::shared_ptr<engines::tool_runner> tools = nullptr; ///< of [[tools]]; null: none
};

/// The running actors. One owner, any thread may use the handles.
class system {
public:
  explicit system(system_options options);
  ~system(); ///< stop(0) when stop() was not called
  system(const system&) = delete;
  system& operator=(const system&) = delete;

  [[nodiscard]] caf::actor_system& caf() noexcept;
  [[nodiscard]] const accounts_actor& accounts() const noexcept;
  /// Null without a mail mode.
  [[nodiscard]] const codes_actor& codes() const noexcept;
  [[nodiscard]] const persistence_actor& persistence() const noexcept;
  [[nodiscard]] const reader_actor& readers() const noexcept;
  [[nodiscard]] const clerk_actor& rest_readers() const noexcept;
  [[nodiscard]] const clerk_actor& rest_writers() const noexcept;
  [[nodiscard]] const hub_actor& hub() const noexcept;
  [[nodiscard]] const broadcaster_actor& broadcaster() const noexcept;
  [[nodiscard]] const memory_actor& memory() const noexcept;
  /// The shards of the index, for a comparison with the table.
  [[nodiscard]] const std::vector<search_actor>& searches() const noexcept;
  [[nodiscard]] const dispatcher_actor& dispatcher() const noexcept;
  /// Quotas and usage of what is no job.
  [[nodiscard]] const teller_actor& teller() const noexcept;
  /// Null without an embedder.
  [[nodiscard]] const text_embedder_actor& embedder() const noexcept;
  /// Null when settings.gateway says so.
  [[nodiscard]] const gateway_actor& gateway() const noexcept;

  /// A SESSION for a socket that was just accepted. Its end closes the outbox.
  [[nodiscard]] session_actor open_session(outbox_ptr out, identity who,
                                           wire::serializer version);

  /// Running jobs may finish within `drain`, the rest is handed back; then all actors
  /// end. Call after the sockets are closed. Idempotent.
  void stop(std::chrono::milliseconds drain);

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace jessica::actors
