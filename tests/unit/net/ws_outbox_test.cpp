#include "net/ws_outbox.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace jessica::test {
namespace {

using net::outbox_lane;
using net::ws_outbox;

wire::frame bytes(std::string what) {
  return std::make_shared<const std::string>(std::move(what));
}

struct recorder final : net::frame_sink {
  std::vector<std::string> seen;
  int flushes = 0;

  void take(wire::frame what) override { seen.push_back(*what); }
  void flush() override { ++flushes; }
  void shut(std::uint16_t code) override {
    seen.push_back("close " + std::to_string(code));
  }
};

struct world {
  boost::asio::io_context io{1};
  std::shared_ptr<outbox_lane> lane = std::make_shared<outbox_lane>(io);
  recorder sink;

  std::shared_ptr<ws_outbox> open(std::size_t limit = 1000) {
    return ws_outbox::open(lane, sink, limit);
  }
  void settle() {
    io.restart();
    io.run();
  }
};

} // namespace

TEST_SUITE("net.ws_outbox") {
  TEST_CASE_FIXTURE(world, "frames come in order and are flushed once a burst") {
    const auto box = open();
    CHECK(box->push(bytes("a")));
    CHECK(box->push(bytes("b")));
    CHECK(sink.seen.empty()); // nothing happens on the pushing thread
    settle();
    CHECK(sink.seen == std::vector<std::string>{"a", "b"});
    CHECK(sink.flushes == 1);
  }

  TEST_CASE_FIXTURE(world,
                    "what the reactor puts in while it holds leaves at release") {
    const auto box = open();
    lane->hold();
    box->push(bytes("a"));
    box->push(bytes("b"));
    CHECK(sink.seen.empty());
    lane->release();
    CHECK(sink.seen == std::vector<std::string>{"a", "b"});
    CHECK(sink.flushes == 1);
    box->push(bytes("c")); // and without a hold as ever
    settle();
    CHECK(sink.seen.size() == 3);
  }

  TEST_CASE_FIXTURE(world, "another thread's frame during a hold is not left behind") {
    const auto box = open();
    lane->hold();
    std::jthread{[&] { box->push(bytes("a")); }}.join();
    box->push(bytes("b"));
    lane->release();
    settle();
    CHECK(sink.seen == std::vector<std::string>{"a", "b"});
  }

  TEST_CASE_FIXTURE(world, "a close comes after what was pushed and only once") {
    const auto box = open();
    box->push(bytes("a"));
    box->close(1001);
    box->close(1011);
    CHECK(!box->push(bytes("b")));
    settle();
    CHECK(sink.seen == std::vector<std::string>{"a", "close 1001"});
  }

  TEST_CASE_FIXTURE(world, "over the byte limit the client is closed with 1013") {
    const auto box = open(10);
    CHECK(box->push(bytes("12345")));
    CHECK(box->push(bytes("67890")));
    CHECK(!box->push(bytes("x")));
    CHECK(!box->push(bytes("y")));
    settle();
    CHECK(sink.seen == std::vector<std::string>{"12345", "67890", "close 1013"});
  }

  TEST_CASE_FIXTURE(world, "bytes that have left make room") {
    const auto box = open(10);
    CHECK(box->push(bytes("1234567890")));
    CHECK(box->backlog() == 10);
    box->sent(10);
    CHECK(box->backlog() == 0);
    CHECK(box->push(bytes("1234567890")));
  }

  TEST_CASE_FIXTURE(world, "a removed outbox refuses and its place may be used again") {
    const auto old = open();
    old->push(bytes("lost"));
    lane->remove(*old);
    CHECK(!old->push(bytes("lost")));
    auto next = recorder{};
    const auto box = ws_outbox::open(lane, next, 1000);
    box->push(bytes("mine"));
    settle();
    CHECK(sink.seen.empty());
    CHECK(next.seen == std::vector<std::string>{"mine"});
  }

  TEST_CASE_FIXTURE(world, "an outbox may outlive the lane's reactor") {
    const auto box = open();
    box->push(bytes("never sent"));
    lane->close();
    CHECK(!box->push(bytes("x")));
    settle();
    CHECK(sink.seen.empty());
  }

  TEST_CASE_FIXTURE(world, "more sockets than one turn flushes all get theirs") {
    auto sinks = std::vector<recorder>(1000);
    auto boxes = std::vector<std::shared_ptr<ws_outbox>>{};
    for (auto& one : sinks)
      boxes.push_back(ws_outbox::open(lane, one, 1000));
    const auto shared = bytes("for all");
    for (auto& box : boxes)
      box->push(shared);
    settle();
    auto complete = 0;
    for (auto& one : sinks)
      complete += one.seen.size() == 1 && one.flushes == 1;
    CHECK(complete == 1000);
  }

  TEST_CASE_FIXTURE(world, "each thread's frames keep their order") {
    constexpr auto threads = 4;
    constexpr auto frames = 2500;
    const auto box = open(1'000'000);
    {
      auto pushers = std::vector<std::jthread>{};
      for (auto t = 0; t < threads; ++t)
        pushers.emplace_back([&, t] {
          for (auto i = 0; i < frames; ++i)
            box->push(bytes(std::to_string(t * frames + i)));
        });
      while (sink.seen.size() < threads * frames) {
        io.restart();
        io.run();
      }
    }
    auto last = std::vector<int>(threads, -1);
    auto in_order = true;
    for (const auto& one : sink.seen) {
      const auto number = std::stoi(one);
      auto& before = last[static_cast<std::size_t>(number / frames)];
      in_order = in_order && number > before;
      before = number;
    }
    CHECK(in_order);
    CHECK(sink.seen.size() == threads * frames);
  }
}

} // namespace jessica::test
