#include "actors/protocol.hpp"
#include "net/asker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace jessica::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using actors::client_frame;
using actors::verdict;
using session = actors::session_actor;

struct settings : caf::actor_system_config {
  settings() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2);
  }
};

struct world {
  settings config;
  caf::actor_system sys{config};
  asio::io_context io;
  std::optional<net::asker> asker{std::in_place, sys, io.get_executor(), [] {}};
  std::vector<caf::actor> spawned;

  ~world() {
    for (auto& one : spawned)
      caf::anon_send_exit(one, caf::exit_reason::kill);
  }

  /// Lazy, so that whoever sends the first message runs it.
  template <class Handler, caf::spawn_options How = caf::lazy_init>
  session spawn(Handler on_frame) {
    // Given as an argument: CAF 0.17.6 dereferences null when a function has none.
    const auto act = [](session::pointer self,
                        Handler judge) -> session::behavior_type {
      return {[=](const client_frame& frame) { return judge(self, frame); },
              [](const actors::socket_closed&) {},
              [](const actors::login_ended&) {},
              [](actors::room_lost) {},
              [](const actors::check_tokens&) {},
              [](const actors::say_goodbye&) {}};
    };
    auto made = sys.spawn<How>(act, std::move(on_frame));
    spawned.push_back(caf::actor_cast<caf::actor>(made));
    return made;
  }

  /// Answers by the text: go_on for "go", close for all else.
  session judge() {
    return spawn([](auto*, const client_frame& frame) -> caf::result<verdict> {
      return frame.bytes == "go" ? verdict::go_on : verdict::close;
    });
  }
  /// As judge(), on a thread of its own.
  session judge_elsewhere() {
    const auto on_frame = [](auto*, const client_frame& frame) -> caf::result<verdict> {
      return frame.bytes == "go" ? verdict::go_on : verdict::close;
    };
    return spawn<decltype(on_frame), caf::detached>(on_frame);
  }
  session silent() {
    return spawn([](auto* self, const client_frame&) -> caf::result<verdict> {
      return self->template make_response_promise<verdict>();
    });
  }

  result<verdict> ask(const session& whom, std::string text,
                      std::chrono::milliseconds limit = 20s) {
    auto out = std::optional<result<verdict>>{};
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
          out = co_await asker->ask<verdict>(whom, client_frame{text, false}, limit);
        },
        asio::detached);
    run_until([&] { return out.has_value(); });
    return *out;
  }

  template <class Done> void run_until(Done done) {
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      io.restart();
      io.run_one_for(1s);
    }
  }
};

} // namespace

TEST_SUITE("net.asker") {
  TEST_CASE_FIXTURE(world, "an answer arrives with its value") {
    const auto whom = judge();
    CHECK(ask(whom, "go") == verdict::go_on);
    CHECK(ask(whom, "stop") == verdict::close);
  }

  TEST_CASE_FIXTURE(world, "so does one from another thread, asked now or soon") {
    const auto whom = judge_elsewhere();
    CHECK(ask(whom, "go") == verdict::go_on);
    auto answer = std::optional<result<verdict>>{};
    asker->ask_now<verdict>(whom, client_frame{"stop", false}, 20s,
                            [&](result<verdict> what) { answer = std::move(what); });
    run_until([&] { return answer.has_value(); });
    CHECK(*answer == verdict::close);
  }

  TEST_CASE_FIXTURE(world, "a domain error crosses unchanged") {
    const auto whom = spawn([](auto*, const client_frame&) -> caf::result<verdict> {
      return actors::to_caf({errc::overloaded, "too much", "busy", nullptr});
    });
    const auto answer = ask(whom, "x");
    REQUIRE(!answer);
    CHECK(answer.error().code == errc::overloaded);
    CHECK(answer.error().what == "too much");
    CHECK(answer.error().reason == "busy");
  }

  TEST_CASE_FIXTURE(world, "a dead actor is unavailable at once") {
    const auto whom = judge();
    caf::anon_send_exit(whom, caf::exit_reason::kill);
    auto answer = ask(whom, "go");
    for (auto tries = 0; answer && tries < 1000; ++tries) // it may get one more in
      answer = ask(whom, "go");
    REQUIRE(!answer);
    CHECK(answer.error().code == errc::unavailable);
  }

  TEST_CASE_FIXTURE(world, "an actor that dies over a question is unavailable") {
    const auto whom =
        spawn([](auto* self, const client_frame& f) -> caf::result<verdict> {
          if (f.bytes == "die")
            self->quit(caf::exit_reason::user_shutdown);
          return verdict::go_on;
        });
    auto first = std::optional<result<verdict>>{};
    auto second = std::optional<result<verdict>>{};
    asker->ask<verdict>(whom, client_frame{"die", false}, 20s,
                        [&](result<verdict> what) { first = std::move(what); });
    asker->ask<verdict>(whom, client_frame{"x", false}, 20s,
                        [&](result<verdict> what) { second = std::move(what); });
    run_until([&] { return first && second; });
    REQUIRE(!*second);
    CHECK(second->error().code == errc::unavailable);
  }

  TEST_CASE_FIXTURE(world, "no handle at all is unavailable") {
    const auto answer = ask(session{}, "go");
    REQUIRE(!answer);
    CHECK(answer.error().code == errc::unavailable);
  }

  TEST_CASE_FIXTURE(world, "an actor that never answers is a timeout") {
    const auto answer = ask(silent(), "x", 50ms);
    REQUIRE(!answer);
    CHECK(answer.error().code == errc::timeout);
  }

  TEST_CASE_FIXTURE(world, "an answer after the limit is dropped") {
    using promise = caf::typed_response_promise<verdict>;
    const auto held = std::make_shared<std::optional<promise>>();
    const auto whom =
        spawn([held](auto* self, const client_frame& f) -> caf::result<verdict> {
          if (f.bytes == "hold") {
            *held = self->template make_response_promise<verdict>();
            return **held;
          }
          (*held)->deliver(verdict::close);
          return verdict::go_on;
        });
    auto calls = 0;
    asker->ask<verdict>(whom, client_frame{"hold", false}, 1ms,
                        [&](const result<verdict>& what) {
                          ++calls;
                          CHECK(!what);
                        });
    run_until([&] { return calls == 1; });
    CHECK(ask(whom, "release") == verdict::go_on); // the late answer came before it
    CHECK(calls == 1);
  }

  TEST_CASE_FIXTURE(world, "who is asked runs on the thread that asks") {
    auto ran_on = std::thread::id{};
    const auto whom = spawn([&](auto*, const client_frame&) -> caf::result<verdict> {
      ran_on = std::this_thread::get_id();
      return verdict::go_on;
    });
    REQUIRE(ask(whom, "x") == verdict::go_on);
    CHECK(ran_on == std::this_thread::get_id());
  }

  TEST_CASE_FIXTURE(world, "asked now, all that follows has happened on return") {
    const auto last = judge();
    const auto relay = spawn([last](auto* self,
                                    const client_frame& frame) -> caf::result<verdict> {
      auto answer = self->template make_response_promise<verdict>();
      self->request(last, caf::infinite, frame).then([answer](verdict what) mutable {
        answer.deliver(what);
      });
      return answer;
    });
    auto answer = std::optional<result<verdict>>{};
    asker->ask_now<verdict>(relay, client_frame{"stop", false}, 20s,
                            [&](result<verdict> what) { answer = std::move(what); });
    REQUIRE(answer);
    CHECK(*answer == verdict::close);
  }

  TEST_CASE_FIXTURE(world, "actors run before their answers are handed out") {
    auto order = std::string{};
    asker.emplace(sys, io.get_executor(), [&] { order += "ran "; });
    const auto whom = judge();
    asker->ask_now<verdict>(whom, client_frame{"go", false}, 20s,
                            [&](const result<verdict>&) { order += "answered "; });
    CHECK(order == "ran answered ");
  }

  TEST_CASE_FIXTURE(world, "an actor that wakes itself again and again leaves the loop "
                           "its turns") {
    auto left = 10'000;
    const auto whom =
        spawn([&](auto* self, const client_frame& frame) -> caf::result<verdict> {
          if (--left > 0)
            self->enqueue(
                caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, frame),
                self->context());
          return verdict::go_on;
        });
    auto answered = false;
    asker->ask_now<verdict>(whom, client_frame{"x", false}, 20s,
                            [&](const result<verdict>&) { answered = true; });
    CHECK(answered);
    auto looked = false;
    asio::post(io, [&] { looked = true; });
    run_until([&] { return looked; });
    CHECK(left > 0);
    run_until([&] { return left == 0; });
  }

  TEST_CASE_FIXTURE(world,
                    "who still waits to run when the asker goes runs elsewhere") {
    auto ran = std::atomic<bool>{false};
    const auto whom =
        spawn([&](auto*, const client_frame& frame) -> caf::result<verdict> {
          ran = frame.bytes == "last";
          return verdict::go_on;
        });
    asker->ask<verdict>(whom, client_frame{"last", false}, 20s,
                        [](const result<verdict>&) {});
    asker.reset();
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!ran && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    CHECK(ran);
  }

  TEST_CASE_FIXTURE(world, "many questions at once keep their answers apart") {
    const auto whom = judge();
    auto right = 0;
    constexpr auto questions = 5000;
    for (auto i = 0; i < questions; ++i)
      asker->ask<verdict>(whom, client_frame{i % 2 == 0 ? "go" : "stop", false}, 20s,
                          [&right, i](const result<verdict>& what) {
                            right +=
                                what == (i % 2 == 0 ? verdict::go_on : verdict::close);
                          });
    run_until([&] { return right == questions; });
    CHECK(right == questions);
  }

  TEST_CASE_FIXTURE(world, "closing ends open and later questions as unavailable") {
    const auto whom = silent();
    auto failures = 0;
    const auto count = [&](const result<verdict>& what) {
      failures += !what && what.error().code == errc::unavailable;
    };
    asker->ask<verdict>(whom, client_frame{"x", false}, 20s, count);
    asker->close();
    CHECK(failures == 0); // never from within the call
    asker->ask<verdict>(whom, client_frame{"x", false}, 20s, count);
    run_until([&] { return failures == 2; });
    CHECK(failures == 2);
  }

  TEST_CASE_FIXTURE(world, "it may go while questions are open") {
    const auto whom = judge();
    auto answers = 0;
    for (auto i = 0; i < 100; ++i)
      asker->ask<verdict>(whom, client_frame{"go", false}, 20s,
                          [&](const result<verdict>&) { ++answers; });
    asker.reset();
    run_until([&] { return answers == 100; });
    CHECK(answers == 100); // answered or unavailable, but each of them ended
  }
}

} // namespace jessica::test
