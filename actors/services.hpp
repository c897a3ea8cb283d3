// The services in groups: what each group is made of and which others it needs.
// system.cpp knows the order.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/code_messages.hpp"
#include "actors/embedding_messages.hpp"
#include "actors/gateway_messages.hpp"
#include "actors/memory_messages.hpp"
#include "actors/protocol.hpp"
#include "actors/quota_messages.hpp"
#include "actors/service_roll.hpp"
#include "actors/system.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

namespace jessica::actors {

/// The wall clock, in the unit tokens use.
[[nodiscard]] std::chrono::sys_seconds wall_clock();

/// Channels, and who may join them.
struct channel_services {
  hub_actor hub;
  std::vector<judge_actor> judges;
};
[[nodiscard]] channel_services start_channels(service_roll& roll,
                                              const system_options& options);

/// What reads and writes the tables: of the chat, of usage, and for REST.
struct storage_services {
  reader_actor readers;
  persistence_actor persistence;
  teller_actor teller;
  catalog_actor catalog;
  clerk_actor rest_readers;
  clerk_actor rest_writers;
};
[[nodiscard]] storage_services start_storage(service_roll& roll,
                                             const system_options& options);

/// Users, and the mail that is sent to them.
struct account_services {
  accounts_actor accounts;
  codes_actor codes; ///< null without a mail mode
};
/// A delivery under way is given up once `mail_ends`.
[[nodiscard]] account_services
start_accounts(service_roll& roll, const system_options& options,
               const std::shared_ptr<std::atomic<bool>>& mail_ends);

/// What makes embeddings, holds them, and searches in them. Without an embedder the
/// first three are null.
struct memory_services {
  text_embedder_actor texts;    ///< of texts alone: searches use it
  text_embedder_actor embedder; ///< of texts and messages
  embedding_actor embedding;
  std::vector<search_actor> searches;
  indexer_actor indexer;
  memory_actor memory;
};
[[nodiscard]] memory_services start_memory(service_roll& roll,
                                           const system_options& options);

/// What has replies written: of the chat, and of the gateway.
struct reply_services {
  gateway_actor gateway; ///< null when settings.gateway says so
  dispatcher_actor dispatcher;
};
[[nodiscard]] reply_services
start_replies(service_roll& roll, const system_options& options, const hub_actor& hub,
              const storage_services& storage, const memory_services& memory);

/// What tells channels and sockets of what was stored.
struct feed_services {
  doorkeeper_actor doorkeeper;
  changefeed_actor changefeed;
  broadcaster_actor broadcaster;
};
[[nodiscard]] feed_services
start_feeds(service_roll& roll, const system_options& options,
            const channel_services& channels, const storage_services& storage,
            const memory_services& memory, const dispatcher_actor& dispatcher);

} // namespace jessica::actors
