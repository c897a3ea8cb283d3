// The listening server: reactors, HTTP, WebSocket. Everything it knows of the rest is a
// handful of actor handles.
#pragma once

#include "actors/account_messages.hpp"
#include "actors/code_messages.hpp"
#include "actors/embedding_messages.hpp"
#include "actors/gateway_messages.hpp"
#include "actors/memory_messages.hpp"
#include "actors/protocol.hpp"
#include "config/settings.hpp"
#include "domain/error.hpp"
#include "net/http_message.hpp"
#include "wire/credentials.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace jessica::net {

class auth_limits;
class socket_watches;

/// What requests are answered by.
struct backend {
  caf::actor_system& actors;
  actors::accounts_actor accounts;
  actors::codes_actor codes = {}; ///< null without a mail mode
  actors::persistence_actor persistence;
  actors::reader_actor readers;
  actors::clerk_actor rest_readers; ///< of requests that cannot write
  actors::clerk_actor rest_writers;
  actors::dispatcher_actor dispatcher;
  actors::broadcaster_actor broadcaster;
  actors::text_embedder_actor embedder = {}; ///< null: nothing is embedded here
  std::string embedding_model = {};          ///< its name
  std::function<actors::session_actor(actors::outbox_ptr, identity, wire::serializer)>
      open_session;
  wire::credentials credentials;
  config::settings settings;
  std::string anon_key;                 ///< shown to the page, it is public
  std::function<std::string()> metrics; ///< the text page
  /// Actors' own sockets, which the reactors watch; null: none.
  std::shared_ptr<socket_watches> sockets = nullptr;
  std::shared_ptr<auth_limits> limits{}; ///< null: any number of calls
  actors::memory_actor memory = {};      ///< null: there is none
  actors::gateway_actor gateway = {};    ///< null: /v1 is off
};

struct call;

/// Answers any request but the WebSocket upgrade; runs on the request's reactor.
using responder =
    std::function<boost::asio::awaitable<http_response>(http_request, call)>;

class server {
public:
  /// Whether open() could bind, said before anything else is started. Fails as open().
  [[nodiscard]] static result<void> check(const config::net_settings& wish);
  /// Binds and starts the reactor threads. Fails: conflict (port taken, says which),
  /// invalid_input (address).
  [[nodiscard]] static result<server> open(backend with);
  /// The same with other routes than the router's.
  [[nodiscard]] static result<server> open(backend with, responder routes);
  server(server&&) noexcept;
  server& operator=(server&&) noexcept;
  ~server(); ///< stop(0)

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// What clients use: settings.net.public_url or http://host:port.
  [[nodiscard]] std::string url() const;
  /// Accepts no more, closes sockets with 1012, waits for them up to `drain`, then
  /// joins the reactors. Idempotent.
  void stop(std::chrono::milliseconds drain);

private:
  struct state;
  explicit server(std::unique_ptr<state>);
  std::unique_ptr<state> state_;
};

} // namespace jessica::net
