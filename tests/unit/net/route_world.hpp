// Routes without sockets: answer() on an io_context, over actors whose answers a test
// writes down beforehand.
#pragma once

#include "actors/code_messages.hpp"
#include "actors/completion_run.hpp"
#include "actors/embedding_messages.hpp"
#include "actors/gateway_messages.hpp"
#include "actors/memory_messages.hpp"
#include "actors/protocol.hpp"
#include "net/asker.hpp"
#include "net/router.hpp"
#include "wire/jwt.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::test {

/// CAF's settings for tests: two workers that share one queue.
struct quiet_actors : caf::actor_system_config {
  quiet_actors() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2);
  }
};

/// What an actor will say, and the last thing it was asked. Set and read while no
/// request is under way.
template <class Message, class Answer> struct scripted {
  std::function<result<Answer>(const Message&)> say;
  std::optional<Message> asked;
  bool silent = false; ///< never answers

  template <class Self>
  caf::typed_response_promise<Answer> operator()(Self* self, const Message& what) {
    auto promise = self->template make_response_promise<Answer>();
    asked = what;
    if (silent)
      return promise;
    auto answer =
        say ? say(what) : fail(errc::internal, "the test expected no question");
    if (answer)
      promise.deliver(std::move(*answer));
    else
      promise.deliver(actors::to_caf(std::move(answer.error())));
    return promise;
  }
};

struct route_world {
  quiet_actors config;
  caf::actor_system sys{config};
  boost::asio::io_context io;

  scripted<actors::sign_up, session_grant> signing_up;
  scripted<actors::sign_up_by_mail, storage::pending_sign_up> joining;
  scripted<actors::sign_in, session_grant> signing_in;
  scripted<actors::refresh_session, session_grant> refreshing;
  scripted<actors::find_user, account> finding;
  scripted<actors::sign_out, actors::done> signing_out;
  scripted<actors::welcome_user, actors::done> welcoming;
  scripted<actors::find_ended, actors::ended_logins> finding_ended;
  scripted<actors::change_user, account> changing;
  scripted<actors::create_account, account> creating;
  scripted<actors::list_accounts, account_page> listing;
  scripted<actors::find_account, account> showing;
  scripted<actors::change_account, account> administering;
  scripted<actors::delete_account, actors::done> deleting;
  scripted<actors::request_sign_in, actors::done> asking_in;
  scripted<actors::request_recovery, actors::done> recovering;
  scripted<actors::resend_mail, actors::done> resending;
  scripted<actors::invite_user, account> inviting;
  scripted<actors::reauthenticate, actors::done> reauthenticating;
  scripted<actors::redeem_code, storage::redemption> redeeming;
  scripted<actors::exchange_code, session_grant> exchanging;
  scripted<actors::enqueue, receipt> enqueueing;
  scripted<actors::perform, rest_reply> rest_reading;
  scripted<actors::perform, rest_reply> rest_writing;
  std::vector<std::shared_ptr<const rest_request>> forgotten;
  scripted<actors::stop_reply, stop_receipt> stopping;
  scripted<actors::change_branch, receipt> branching;
  scripted<actors::run_queued, actors::queue_report> claiming;
  scripted<actors::send_broadcasts, actors::broadcasts_sent> broadcasting;
  scripted<actors::search_memory, actors::memories_found> searching;
  scripted<actors::embed_texts, actors::texts_embedded> embedding;
  scripted<actors::start_completion, actors::completion_started> completing;
  /// Ends that GATEWAY heard of: some come when the test is over.
  std::shared_ptr<std::atomic<std::size_t>> completed =
      std::make_shared<std::atomic<std::size_t>>(0);
  scripted<actors::embed_for, actors::embedded_for> embedding_for;
  scripted<actors::embed_message, actors::message_embedded> embedding_one;

  net::asker asker{sys, io.get_executor(), [] {}};
  net::backend with{.actors = sys,
                    .accounts = accounts(),
                    .codes = codes(),
                    .persistence = persistence(),
                    .readers = readers(),
                    .rest_readers = clerk(rest_reading),
                    .rest_writers = clerk(rest_writing),
                    .dispatcher = dispatcher(),
                    .broadcaster = broadcaster(),
                    .embedder = embedder(),
                    .embedding_model = "a-model",
                    .open_session = {},
                    .credentials = {"a secret of the tests, long enough",
                                    "sb_publishable_test", "sb_secret_test"},
                    .settings = {},
                    .anon_key = "sb_publishable_test",
                    .metrics = [] { return std::string{"jessica_up 1\n"}; },
                    .memory = memory(),
                    .gateway = gateway()};
  session_grant grant = make_grant();

  ~route_world() {
    asker.close();
    const auto why = caf::exit_reason::user_shutdown;
    caf::anon_send_exit(with.accounts, why);
    caf::anon_send_exit(with.codes, why);
    caf::anon_send_exit(with.persistence, why);
    caf::anon_send_exit(with.readers, why);
    caf::anon_send_exit(with.rest_readers, why);
    caf::anon_send_exit(with.rest_writers, why);
    caf::anon_send_exit(with.dispatcher, why);
    caf::anon_send_exit(with.broadcaster, why);
    caf::anon_send_exit(with.memory, why);
    if (with.gateway)
      caf::anon_send_exit(with.gateway, why);
    if (with.embedder)
      caf::anon_send_exit(with.embedder, why);
  }

  /// What the server says to `what`.
  net::http_response ask(net::http_request what) {
    auto got = std::optional<net::http_response>{};
    auto broken = std::exception_ptr{};
    boost::asio::co_spawn(io, net::answer(std::move(what), net::call{with, asker}),
                          [&](std::exception_ptr e, net::http_response answer) {
                            broken = e;
                            got = std::move(answer);
                          });
    io.restart();
    while (!got)
      io.run_one();
    if (broken)
      std::rethrow_exception(broken);
    return std::move(*got);
  }

  /// A request as a signed-out client sends it: its key in both places.
  [[nodiscard]] static net::http_request
  as_anon(std::string method, std::string_view target, std::string body = {}) {
    auto what = bare(std::move(method), target, std::move(body));
    what.headers.emplace_back("apikey", "sb_publishable_test");
    what.headers.emplace_back("authorization", "Bearer sb_publishable_test");
    return what;
  }

  /// A request as a signed-in client sends it.
  [[nodiscard]] net::http_request as_user(std::string method, std::string_view target,
                                          std::string body = {}) const {
    return with_token(user_token(), std::move(method), target, std::move(body));
  }

  [[nodiscard]] static net::http_request with_token(const std::string& token,
                                                    std::string method,
                                                    std::string_view target,
                                                    std::string body = {}) {
    auto what = bare(std::move(method), target, std::move(body));
    what.headers.emplace_back("apikey", "sb_publishable_test");
    what.headers.emplace_back("authorization", "Bearer " + token);
    return what;
  }

  /// A request without any key.
  [[nodiscard]] static net::http_request
  bare(std::string method, std::string_view target, std::string body = {}) {
    const auto mark = target.find('?');
    auto what = net::http_request{};
    what.method = std::move(method);
    what.path = target.substr(0, mark);
    what.query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    what.body = std::move(body);
    what.remote_ip = "192.0.2.7";
    return what;
  }

  [[nodiscard]] static std::chrono::sys_seconds now() {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }

  [[nodiscard]] std::string
  user_token(std::chrono::seconds lifetime = std::chrono::hours{1}) const {
    return wire::make_access_token(grant, with.credentials.jwt_secret, "tests", now(),
                                   lifetime);
  }

  [[nodiscard]] static session_grant make_grant() {
    auto made = session_grant{};
    made.user.id = *user_id::parse("11111111-1111-4111-8111-111111111111");
    made.user.email = "ada@example.org";
    made.session = *auth_session_id::parse("22222222-2222-4222-8222-222222222222");
    made.refresh_token = "refreshtoken1";
    made.method = "password";
    return made;
  }

private:
  actors::text_embedder_actor embedder() {
    return sys.spawn([this](actors::text_embedder_actor::pointer self)
                         -> actors::text_embedder_actor::behavior_type {
      return {[this, self](const actors::embed_texts& m) { return embedding(self, m); },
              [this, self](const actors::embed_message& m) {
                return embedding_one(self, m);
              },
              [](actors::are_you_free) { return actors::done{}; }};
    });
  }

  actors::gateway_actor gateway() {
    return sys.spawn([this, ended = completed](actors::gateway_actor::pointer self)
                         -> actors::gateway_actor::behavior_type {
      return {
          [this, self](const actors::start_completion& m) {
            return completing(self, m);
          },
          [ended](const actors::completion_ended&) { ++*ended; },
          [this, self](const actors::embed_for& m) { return embedding_for(self, m); },
          [](actors::list_models) {
            return actors::models_listed{{"one", "maker/two"}};
          },
          [](actors::count_again) {}};
    });
  }

  actors::accounts_actor accounts() {
    return sys.spawn([this](actors::accounts_actor::pointer self)
                         -> actors::accounts_actor::behavior_type {
      return {
          [this, self](const actors::sign_up& m) { return signing_up(self, m); },
          [this, self](const actors::sign_up_by_mail& m) { return joining(self, m); },
          [this, self](const actors::sign_in& m) { return signing_in(self, m); },
          [this, self](const actors::refresh_session& m) {
            return refreshing(self, m);
          },
          [this, self](const actors::find_user& m) { return finding(self, m); },
          [this, self](const actors::sign_out& m) { return signing_out(self, m); },
          [this, self](const actors::welcome_user& m) { return welcoming(self, m); },
          [this, self](const actors::change_user& m) { return changing(self, m); },
          [this, self](const actors::create_account& m) { return creating(self, m); },
          [this, self](const actors::list_accounts& m) { return listing(self, m); },
          [this, self](const actors::find_account& m) { return showing(self, m); },
          [this, self](const actors::change_account& m) {
            return administering(self, m);
          },
          [this, self](const actors::delete_account& m) { return deleting(self, m); }};
    });
  }

  actors::codes_actor codes() {
    return sys.spawn([this](actors::codes_actor::pointer self)
                         -> actors::codes_actor::behavior_type {
      return {
          [this, self](const actors::request_sign_in& m) { return asking_in(self, m); },
          [this, self](const actors::request_recovery& m) {
            return recovering(self, m);
          },
          [this, self](const actors::resend_mail& m) { return resending(self, m); },
          [this, self](const actors::invite_user& m) { return inviting(self, m); },
          [this, self](const actors::reauthenticate& m) {
            return reauthenticating(self, m);
          },
          [this, self](const actors::redeem_code& m) { return redeeming(self, m); },
          [this, self](const actors::exchange_code& m) { return exchanging(self, m); },
          [](actors::are_you_free) { return actors::done{}; }};
    });
  }

  actors::persistence_actor persistence() {
    return sys.spawn([this](actors::persistence_actor::pointer self)
                         -> actors::persistence_actor::behavior_type {
      return {[this, self](const actors::enqueue& m) { return enqueueing(self, m); },
              [](const actors::finish&) { return false; },
              [](const actors::save_progress&) { return job_hold::lost; },
              [](const actors::give_up&) { return job_status::lost; },
              [](const actors::use_lease&) {}};
    });
  }

  actors::dispatcher_actor dispatcher() {
    return sys.spawn([this](actors::dispatcher_actor::pointer self)
                         -> actors::dispatcher_actor::behavior_type {
      return {[](const actors::run_job&) {},
              [](actors::job_ended) {},
              [](actors::beat) {},
              [](actors::jobs_ready) {},
              [](const actors::stop_jobs&) {},
              [](actors::jobs_due) {},
              [this, self](const actors::stop_reply& m) { return stopping(self, m); },
              [this, self](const actors::run_queued& m) { return claiming(self, m); },
              [](actors::drain) { return actors::done{}; },
              [](actors::drain_deadline) {}};
    });
  }

  actors::broadcaster_actor broadcaster() {
    return sys.spawn([this](actors::broadcaster_actor::pointer self)
                         -> actors::broadcaster_actor::behavior_type {
      return {[this, self](const actors::send_broadcasts& m) {
        return broadcasting(self, m);
      }};
    });
  }

  actors::memory_actor memory() {
    return sys.spawn([this](actors::memory_actor::pointer self)
                         -> actors::memory_actor::behavior_type {
      return {
          [this, self](const actors::search_memory& m) { return searching(self, m); },
          [](const actors::recall_memories&) { return actors::memories_found{}; }};
    });
  }

  actors::clerk_actor clerk(scripted<actors::perform, rest_reply>& with_script) {
    return sys.spawn([this, &with_script](actors::clerk_actor::pointer self)
                         -> actors::clerk_actor::behavior_type {
      return {[&with_script, self](const actors::perform& m) {
                return with_script(self, m);
              },
              [this](const actors::forget& left) { forgotten.push_back(left.what); },
              [](const actors::line_ready&) {}, [](const actors::look_at_lines&) {},
              [](const actors::schema_loaded&) {}};
    });
  }

  actors::reader_actor readers() {
    return sys.spawn([this](actors::reader_actor::pointer self)
                         -> actors::reader_actor::behavior_type {
      return {
          [](const actors::stop_reply&) { return stop_receipt{}; },
          [this, self](const actors::find_ended& m) { return finding_ended(self, m); },
          [](const actors::fetch_prompt&) { return prompt{}; },
          [](const actors::store_broadcast&) { return actors::done{}; },
          [](const actors::fetch_stored&) { return actors::stored_page{}; },
          [this, self](const actors::change_branch& m) { return branching(self, m); },
          [](const actors::are_you_free&) { return actors::done{}; }};
    });
  }
};

/// The first header of this name; empty when absent.
[[nodiscard]] inline std::string_view header(const net::http_response& of,
                                             std::string_view name) {
  const auto found = std::ranges::find(
      of.headers, name, [](const auto& h) -> std::string_view { return h.first; });
  return found == of.headers.end() ? std::string_view{} : found->second;
}

/// A text field of a JSON answer that has this name once; "<none>" when it has not.
[[nodiscard]] inline std::string field(const net::http_response& of,
                                       std::string_view name) {
  const auto key = '"' + std::string{name} + "\":\"";
  const auto found = of.body.find(key);
  if (found == std::string::npos || !of.body.ends_with('}'))
    return "<none>";
  auto text = std::string{};
  for (auto i = found + key.size(); i < of.body.size() && of.body[i] != '"'; ++i) {
    i += of.body[i] == '\\';
    text += of.body[i];
  }
  return text;
}

} // namespace jessica::test
