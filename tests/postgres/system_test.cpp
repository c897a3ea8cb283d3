#include "actors/errors.hpp"
#include "actors/system.hpp"
#include "engines/builtin.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/postgres/seed.hpp"
#include "wire/jwt.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <string>

// The actors with real threads over a real database: what no single actor's test shows.

namespace jessica::actors {
namespace {

using namespace test;
using namespace std::chrono_literals;

constexpr auto patience = 20s;
constexpr auto hour = std::chrono::hours{1};
constexpr auto secret = std::string_view{"a secret of at least thirty-two bytes"};

/// A client whose frames come in from other threads.
class listening_outbox : public outbox {
public:
  bool push(wire::frame what) noexcept override {
    const auto hold = std::lock_guard{lock_};
    seen_.push(std::move(what));
    changed_.notify_all();
    return true;
  }
  [[nodiscard]] std::size_t backlog() const noexcept override { return 0; }
  void close(std::uint16_t code) noexcept override {
    const auto hold = std::lock_guard{lock_};
    seen_.close(code);
    changed_.notify_all();
  }

  /// The broadcasts of this event once there is one; fails the test after a while.
  std::vector<boost::json::object> wait_for(std::string_view event) {
    auto hold = std::unique_lock{lock_};
    REQUIRE(changed_.wait_for(hold, patience,
                              [&] { return !seen_.broadcasts(event).empty(); }));
    return seen_.broadcasts(event);
  }
  std::vector<boost::json::object> seen(std::string_view event) {
    const auto hold = std::lock_guard{lock_};
    return seen_.broadcasts(event);
  }

private:
  std::mutex lock_;
  std::condition_variable changed_;
  recorded_outbox seen_;
};

struct running_system {
  user_id user = add_user();
  conversation_id room = add_conversation(user);
  std::unique_ptr<actors::system> system;
  std::string send_rule = "owner";

  running_system() { empty_queue(); }

  /// With a long heartbeat only the change feed can tell the node anything in time.
  void start(std::size_t tokens_per_second,
             std::chrono::milliseconds heartbeat = 50ms) {
    auto settings = config::settings{};
    settings.inference.heartbeat = heartbeat;
    settings.inference.checkpoint_every = 60s;
    settings.storage.send_rule = send_rule;
    system = std::make_unique<actors::system>(system_options{
        .settings = settings,
        .database = database(),
        .credentials = {std::string{secret}, "sb_publishable_x", "sb_secret_x"},
        .node = "test",
        .engine = engines::make_builtin(tokens_per_second),
        .sockets = {}});
  }

  template <class T, class Handle, class Message>
  result<T> ask(const Handle& whom, Message what) {
    auto answer = result<T>{fail(errc::timeout, "nobody answered")};
    auto self = caf::scoped_actor{system->caf()};
    self->request(whom, patience, std::move(what))
        .receive(
            [&](T& got) { answer = std::move(got); },
            [&](const caf::error& why) { answer = std::unexpected{from_caf(why)}; });
    return answer;
  }

  result<receipt> send(std::string text) {
    return ask<receipt>(system->persistence(), enqueue{turn{.author = user,
                                                            .conversation = room,
                                                            .opens = false,
                                                            .content = std::move(text),
                                                            .client_id = {},
                                                            .params = "{}"}});
  }

  [[nodiscard]] std::string token() const {
    auto grant = session_grant{};
    grant.user.id = user;
    grant.session = auth_session_id::make();
    admin("insert into auth.sessions (id, user_id) values ($1, $2)",
          {grant.session.str(), user.str()});
    grant.method = "password";
    const auto now =
        std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    return wire::make_access_token(grant, secret, "issuer", now, 3600s);
  }

  /// A queued job as a hosted function or plain SQL makes it; its reply.
  message_id queue_by_sql() {
    const auto asked = message_id::make();
    const auto reply = message_id::make();
    admin("insert into public.messages (id, conversation_id, user_id, content) "
          "values ($1, $2, $3, 'from SQL')",
          {asked.str(), room.str(), user.str()});
    admin("insert into public.messages (id, conversation_id, user_id, role, status, "
          "reply_to) values ($1, $2, $3, 'assistant', 'pending', $4)",
          {reply.str(), room.str(), user.str(), asked.str()});
    admin("insert into public.inference_jobs (user_id, conversation_id, message_id, "
          "reply_id) values ($1, $2, $3, $4)",
          {user.str(), room.str(), asked.str(), reply.str()});
    return reply;
  }

  /// Until the node reads the log again.
  void wait_for_feed() {
    wait_for("select count(*) = 1 from pg_replication_slots "
             "where slot_name like 'jessica_test%' and active");
  }

  void wait_for(const std::string& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (text_of(condition) != "t") {
      REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline, condition);
      admin("select pg_sleep(0.02)");
    }
  }

  /// A socket in the user's conversation.
  std::shared_ptr<listening_outbox> join(const std::string& broadcast = "{}") {
    auto out = std::make_shared<listening_outbox>();
    auto session = system->open_session(out, identity{}, wire::serializer::v1);
    const auto topic = "realtime:conversation:" + room.str();
    const auto frame =
        R"({"topic":")" + topic +
        R"(","event":"phx_join","payload":{"config":{"private":true,"broadcast":)" +
        broadcast + R"(},"access_token":")" + token() +
        R"("},"ref":"1","join_ref":"1"})";
    REQUIRE(ask<verdict>(session, client_frame{frame, false}));
    sessions.push_back(session);
    return out;
  }

  /// Waits until the reply's row has this status.
  void wait_for_row(message_id reply, const std::string& status) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    constexpr auto read =
        "select status from public.messages where id = $1"; // the database is the clock
    while (text_of(read, {reply.str()}) != status) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      admin("select pg_sleep(0.02)");
    }
  }

  void stop(std::chrono::milliseconds drain) {
    for (const auto& session : sessions)
      caf::anon_send(session, socket_closed{});
    sessions.clear();
    system->stop(drain);
    system.reset();
  }

  std::vector<session_actor> sessions;
};

TEST_SUITE("actors.system") {
  TEST_CASE_FIXTURE(running_system,
                    "what SQL stores comes to who is there, and to who comes later") {
    const auto send_by_sql = [&](std::string event) {
      admin("select realtime.send('{}', $1, 'conversation:' || $2)",
            {std::move(event), room.str()});
    };
    start(0, 60s);
    wait_for_feed();
    auto early = join();
    send_by_sql("first");
    early->wait_for("first");
    auto late = join(R"({"replay":{"since":0,"limit":25}})");
    send_by_sql("second");
    for (const auto& client : {early, late}) {
      CHECK(client->wait_for("second").size() == 1);
      CHECK(client->seen("first").size() == 1);
    }
    stop(0ms);
  }

  TEST_CASE_FIXTURE(running_system,
                    "a sent turn is answered over its channel and stored complete") {
    start(0);
    auto client = join();
    const auto sent = send("hello there");
    REQUIRE(sent);
    client->wait_for("reply.completed");
    auto next = std::int64_t{1};
    auto text = std::string{};
    for (const auto& delta : client->seen("reply.delta")) {
      CHECK(delta.at("first_seq").as_int64() == next);
      next = delta.at("seq").as_int64() + 1;
      text += delta.at("text").as_string();
    }
    CHECK(text_of("select content from public.messages where id = $1",
                  {sent->reply.str()}) == text);
    CHECK(text_of("select status from public.messages where id = $1",
                  {sent->reply.str()}) == "complete");
    CHECK(text_of("select status from public.inference_jobs where id = $1",
                  {std::to_string(sent->job.value)}) == "done");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system, "a job queued by plain SQL is found and run") {
    start(0);
    wait_for_row(queue_by_sql(), "complete");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system, "the change feed wakes the node for a queued job") {
    start(0, hour);
    wait_for_feed();
    wait_for_row(queue_by_sql(), "complete");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system,
                    "a feed that was cut comes back and misses nothing") {
    start(0, hour);
    wait_for_feed();
    admin("select pg_terminate_backend(active_pid) from pg_replication_slots "
          "where active_pid is not null");
    wait_for_row(queue_by_sql(), "complete"); // made while nobody listens
    wait_for_feed();
    wait_for_row(queue_by_sql(), "complete");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system, "a stop in SQL ends a running reply, text kept") {
    constexpr auto slow = std::size_t{5};
    start(slow, hour);
    wait_for_feed();
    auto client = join();
    const auto sent = send("a question that takes a while");
    REQUIRE(sent);
    client->wait_for("reply.delta");
    admin("update public.inference_jobs set cancel_requested = true where id = $1",
          {std::to_string(sent->job.value)});
    const auto told = client->wait_for("reply.cancelled");
    CHECK(told[0].at("seq").as_int64() > 0);
    wait_for_row(sent->reply, "cancelled");
    CHECK(text_of("select content <> '' and usage is not null from public.messages "
                  "where id = $1",
                  {sent->reply.str()}) == "t");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system,
                    "a stop while the feed is away is heard afterwards") {
    constexpr auto slow = std::size_t{5};
    start(slow, hour);
    wait_for_feed();
    auto client = join();
    const auto sent = send("a question that takes a while");
    REQUIRE(sent);
    client->wait_for("reply.delta");
    admin("select pg_terminate_backend(active_pid) from pg_replication_slots "
          "where active_pid is not null");
    admin("update public.inference_jobs set cancel_requested = true where id = $1",
          {std::to_string(sent->job.value)});
    client->wait_for("reply.cancelled");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system, "a user's stop is answered and idempotent") {
    constexpr auto slow = std::size_t{5};
    start(slow);
    auto client = join();
    const auto sent = send("a question that takes a while");
    REQUIRE(sent);
    client->wait_for("reply.delta");
    const auto who = std::make_shared<const identity>(signed_in(user));
    const auto stopped =
        ask<stop_receipt>(system->dispatcher(), stop_reply{who, sent->reply});
    REQUIRE(stopped);
    CHECK(stopped->status == "cancelling");
    client->wait_for("reply.cancelled");
    const auto again =
        ask<stop_receipt>(system->dispatcher(), stop_reply{who, sent->reply});
    REQUIRE(again);
    CHECK(again->status == "cancelled");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system,
                    "with the policies' rule sends are queued and run") {
    send_rule = "policies";
    start(0, hour);
    wait_for_feed();
    auto client = join();
    const auto sent = send("hello there");
    REQUIRE(sent);
    client->wait_for("reply.completed");
    wait_for_row(sent->reply, "complete");
    CHECK(number_of("select attempts from public.inference_jobs where id = $1",
                    {std::to_string(sent->job.value)}) == 1);
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system,
                    "a stop hands a running job back, and the next node resets it") {
    constexpr auto slow = std::size_t{1};
    start(slow);
    auto first = join();
    const auto sent = send("a question that takes a while");
    REQUIRE(sent);
    first->wait_for("reply.delta");
    stop(0ms);
    CHECK(text_of("select status from public.messages where id = $1",
                  {sent->reply.str()}) == "pending");
    constexpr auto quick_enough_to_join = std::size_t{20};
    start(quick_enough_to_join);
    auto second = join();
    second->wait_for("reply.completed");
    wait_for_row(sent->reply, "complete");
    CHECK(number_of("select attempts from public.inference_jobs where id = $1",
                    {std::to_string(sent->job.value)}) == 2);
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system, "cut connections cost at most the call under way") {
    start(0);
    REQUIRE(send("before"));
    admin(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename in ('jessica_engine', 'authenticator', 'supabase_auth_admin')");
    const auto deadline = std::chrono::steady_clock::now() + patience;
    auto after = send("after");
    while (!after && std::chrono::steady_clock::now() < deadline) {
      CHECK(after.error().code == errc::unavailable);
      after = send("after");
    }
    REQUIRE(after);
    wait_for_row(after->reply, "complete");
    stop(1s);
  }

  TEST_CASE_FIXTURE(running_system, "accounts sign up, come back and are recognised") {
    start(0);
    const auto email = uuid::make().str() + "@example.org";
    auto made = ask<session_grant>(system->accounts(),
                                   sign_up{{email, "correct horse", "{}"}, {}});
    REQUIRE(made);
    CHECK(ask<session_grant>(system->accounts(), sign_in{email, "correct horse", {}}));
    auto wrong =
        ask<session_grant>(system->accounts(), sign_in{email, "battery staple", {}});
    REQUIRE(!wrong);
    CHECK(wrong.error().reason == "invalid_credentials");
    auto known =
        ask<account>(system->accounts(), find_user{made->user.id, made->session});
    REQUIRE(known);
    CHECK(known->email == email);
    stop(0ms);
  }
}

} // namespace
} // namespace jessica::actors
