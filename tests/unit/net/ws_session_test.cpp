#include "net/ws_session.hpp"
#include "socket_world.hpp"

#include <array>
#include <thread>

namespace jessica::test {
namespace {

struct world : socket_world {
  world() { settings.net.threads = 1; }
};

} // namespace

TEST_SUITE("net.ws_session") {
  TEST_CASE_FIXTURE(world, "a frame goes to SESSION and its answer comes back") {
    const auto at = serve();
    auto client = connect(at);
    client.send_text("echo hello");
    const auto answer = client.frame();
    CHECK(answer.opcode == 1);
    CHECK(answer.payload == "hello");
    client.send_frame(2, std::string("\x00\xff", 2));
    CHECK(log.wait("binary:2"));
  }

  TEST_CASE_FIXTURE(world, "the API key may come as parameter or as header") {
    const auto at = serve();
    for (const auto& [target, header] :
         {std::pair{"/realtime/v1/websocket?apikey=sb_publishable_test", ""},
          std::pair{"/realtime/v1/websocket?apikey=sb_publishable%5Ftest", ""},
          std::pair{"/realtime/v1/websocket", "apikey: sb_publishable_test\r\n"},
          std::pair{"/realtime/v1/websocket?apikey=wrong",
                    "x-api-key: sb_publishable_test\r\n"}}) {
      auto client = raw_client{at.port()};
      CHECK(client.handshake(target, header).status == 101);
    }
    auto client = raw_client{at.port()};
    CHECK(client.handshake("/realtime/v1/websocket?apikey=sb_secret_test").status ==
          101);
    REQUIRE(log.wait("session", 5));
    CHECK(who[0].role == db_role::anon);
    CHECK(who.back().role == db_role::service_role);
  }

  TEST_CASE_FIXTURE(world, "the handshake's answer is right") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    const auto answer = client.handshake(
        socket_path, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    CHECK(answer.has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    CHECK(!answer.has("permessage-deflate"));
  }

  TEST_CASE_FIXTURE(world, "a refusal comes before the upgrade, as JSON") {
    const auto at = serve();
    const auto refused = [&](std::string_view target) {
      auto client = raw_client{at.port()};
      const auto answer = client.handshake(target);
      CHECK(answer.has("Access-Control-Allow-Origin: *\r\n"));
      CHECK(answer.body.starts_with(R"({"error":)"));
      return answer.status;
    };
    CHECK(refused("/realtime/v1/websocket") == 401);
    CHECK(refused("/realtime/v1/websocket?apikey=wrong") == 401);
    CHECK(refused("/realtime/v1/websocket?apikey=sb_publishable_test&vsn=9") == 403);
    CHECK(log.count("session") == 0);
  }

  TEST_CASE_FIXTURE(world, "no key is needed where none is required") {
    settings.auth.require_apikey = false;
    const auto at = serve();
    auto client = raw_client{at.port()};
    CHECK(client.handshake("/realtime/v1/websocket").status == 101);
  }

  TEST_CASE_FIXTURE(world, "long, fragmented and empty messages arrive whole") {
    const auto at = serve();
    auto client = connect(at);
    const auto text = std::string(1'000'000, 'x');
    client.send_text("echo " + text);
    CHECK(client.frame().payload == text);
    client.send_frame(1, "echo ", false);
    client.send_frame(0, "par", false);
    client.send_frame(0, "ts", true);
    CHECK(client.frame().payload == "parts");
    client.send_text("");
    CHECK(log.wait("text:"));
    for (const auto size : {153, 154, 155, 156, 314, 315, 316}) { // around the buffer
      const auto exact = std::string(static_cast<std::size_t>(size), 'y');
      client.send_text("echo " + exact);
      CHECK(client.frame().payload == exact);
    }
  }

  TEST_CASE_FIXTURE(world, "frames are handled one by one and in order") {
    const auto at = serve();
    auto client = connect(at);
    for (auto i = 0; i < 500; ++i)
      client.send_text(std::format("echo {}", i));
    for (auto i = 0; i < 500; ++i)
      CHECK(client.frame().payload == std::to_string(i));
  }

  TEST_CASE_FIXTURE(world, "a frame over the limit ends the socket with 1009") {
    settings.realtime.max_frame_bytes = 1000;
    const auto at = serve();
    auto client = connect(at);
    client.send_text("echo " + std::string(995, 'x'));
    CHECK(client.frame().payload.size() == 995);
    client.send_text(std::string(1001, 'x'));
    CHECK(client.frame().code() == 1009);
    CHECK(client.rest().empty());
    CHECK(log.wait("socket_closed"));
  }

  TEST_CASE_FIXTURE(world, "fragments that are too much together are 1009, too") {
    settings.realtime.max_frame_bytes = 1000;
    const auto at = serve();
    auto client = connect(at);
    client.send_frame(1, std::string(600, 'x'), false);
    client.send_frame(0, std::string(600, 'x'), true);
    CHECK(client.frame().code() == 1009);
  }

  TEST_CASE_FIXTURE(world, "bytes against the protocol end the socket") {
    const auto at = serve();
    auto unmasked = connect(at);
    unmasked.send(std::string{"\x81\x02hi", 4});
    CHECK(unmasked.frame().code() == 1002);
    auto reserved = connect(at);
    reserved.send_frame(3, "?");
    CHECK(reserved.frame().code() == 1002);
    auto not_text = connect(at);
    not_text.send_text("\xff\xfe");
    CHECK(not_text.frame().code() == 1007);
    CHECK(log.wait("socket_closed", 3));
  }

  TEST_CASE_FIXTURE(world, "a ping is answered while data is on its way") {
    settings.realtime.outbox_bytes = 50'000'000;
    const auto at = serve();
    auto client = connect(at, 4096);
    const auto out = last_outbox();
    const auto chunk = text_frame(std::string(100'000, 'd'));
    for (auto i = 0; i < 100; ++i)
      CHECK(out->push(chunk));
    client.send_frame(9, "are you there");
    auto data = 0;
    auto next = client.frame();
    for (; next.opcode == 1; next = client.frame())
      data += next.payload.size() == 100'000;
    CHECK(next.opcode == 10);
    CHECK(next.payload == "are you there");
    while (data < 100)
      data += client.frame().opcode == 1;
    CHECK(data == 100);
  }

  TEST_CASE_FIXTURE(world, "a client's close is answered with its code") {
    const auto at = serve();
    auto client = connect(at);
    client.send_frame(8, std::string{"\x03\xe8", 2});
    CHECK(client.frame().code() == 1000);
    CHECK(client.rest().empty());
    CHECK(log.wait("socket_closed"));
    const auto out = last_outbox();
    CHECK(!out->push(text_frame("x")));
  }

  TEST_CASE_FIXTURE(world,
                    "our close follows what was pushed and waits for the client") {
    const auto at = serve();
    auto client = connect(at);
    const auto out = last_outbox();
    out->push(text_frame("last words"));
    out->close(1001);
    CHECK(!out->push(text_frame("too late")));
    CHECK(client.frame().payload == "last words");
    CHECK(client.frame().code() == 1001);
    client.send_text("echo still talking"); // may cross our close; nobody answers
    client.send_frame(9, "no pong either");
    client.send_frame(8, std::string{"\x03\xe9", 2});
    CHECK(client.rest().empty());
    CHECK(log.wait("socket_closed"));
    CHECK(log.count("text:echo still talking") == 0);
  }

  TEST_CASE_FIXTURE(world, "a client that ignores our close is cut") {
    const auto at = serve();
    auto client = connect(at);
    last_outbox()->close(1001);
    CHECK(client.frame().code() == 1001);
    CHECK(log.wait("socket_closed"));
    CHECK(client.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "a client that just goes is noticed") {
    const auto at = serve();
    auto client = connect(at);
    client.hang_up();
    CHECK(log.wait("socket_closed"));
    const auto out = last_outbox();
    CHECK(!out->push(text_frame("x")));
  }

  TEST_CASE_FIXTURE(world, "SESSION's verdict closes the socket") {
    const auto at = serve();
    auto client = connect(at);
    client.send_text("echo bye");
    client.send_text("close");
    CHECK(client.frame().payload == "bye");
    CHECK(client.frame().code() == 1000);
  }

  TEST_CASE_FIXTURE(world, "a SESSION that fails, dies or is silent is 1011") {
    settings.net.request_timeout = 1s;
    const auto at = serve();
    for (const auto& order : {"error", "hold"}) {
      auto client = connect(at);
      client.send_text(order);
      CHECK(client.frame().code() == 1011);
    }
    auto client = connect(at);
    client.send_text("die");
    client.send_text("anybody there?");
    CHECK(client.frame().code() == 1011);
  }

  TEST_CASE_FIXTURE(world,
                    "a client that does not read is closed with 1013, others go on") {
    settings.realtime.outbox_bytes = 200'000;
    const auto at = serve();
    auto slow = connect(at, 4096);
    const auto to_slow = last_outbox();
    auto brisk = connect(at);
    const auto to_brisk = last_outbox();
    const auto frame = text_frame(std::string(50'000, 'd'));
    auto pushed = 0;
    while (to_slow->push(frame)) {
      ++pushed;
      REQUIRE(to_brisk->push(frame));
      CHECK(brisk.frame().payload.size() == 50'000);
    }
    CHECK(pushed >= 4);
    auto read = 0;
    auto next = slow.frame();
    for (; next.opcode == 1; next = slow.frame())
      ++read;
    CHECK(next.code() == 1013);
    CHECK(read < pushed); // what waited was dropped
    CHECK(to_brisk->push(text_frame("still here")));
    CHECK(brisk.frame().payload == "still here");
  }

  TEST_CASE_FIXTURE(world, "a client that never reads again is gone all the same") {
    settings.realtime.outbox_bytes = 200'000;
    const auto at = serve();
    auto slow = connect(at, 4096);
    const auto out = last_outbox();
    const auto frame = text_frame(std::string(50'000, 'd'));
    while (out->push(frame)) {
    }
    CHECK(log.wait("socket_closed"));
  }

  TEST_CASE_FIXTURE(world,
                    "frames that many threads push arrive in each thread's order") {
    settings.realtime.outbox_bytes = 10'000'000;
    const auto at = serve();
    auto client = connect(at);
    const auto out = last_outbox();
    constexpr auto threads = 4;
    constexpr auto frames = 2500;
    auto pushers = std::vector<std::jthread>{};
    for (auto t = 0; t < threads; ++t)
      pushers.emplace_back([&out, t] {
        for (auto i = 0; i < frames; ++i)
          out->push(text_frame(std::to_string(t * frames + i)));
      });
    auto last = std::array<int, threads>{-1, -1, -1, -1};
    auto in_order = true;
    for (auto i = 0; i < threads * frames; ++i) {
      const auto number = std::stoi(client.frame().payload);
      auto& before = last.at(static_cast<std::size_t>(number / frames));
      in_order = in_order && number > before;
      before = number;
    }
    CHECK(in_order);
  }

  TEST_CASE_FIXTURE(world, "a client without messages is cut after the idle time") {
    settings.realtime.idle_timeout = 1s;
    const auto at = serve();
    auto alive = connect(at);
    auto pinging = connect(at);
    const auto messages = std::jthread{[&](const std::stop_token& stop) {
      while (!stop.stop_requested() && alive.send_frame(1, "echo on"))
        REQUIRE(alive.frame().payload == "on");
    }};
    while (pinging.send_frame(9, "") && pinging.more()) {
    }
    CHECK(log.wait("socket_closed"));
    CHECK(log.count("socket_closed") == 1);
  }

  TEST_CASE_FIXTURE(world, "a client that answers no ping is gone") {
    settings.realtime.ping_after = settings.realtime.pong_within = 1s;
    const auto at = serve();
    auto gone = connect(at);
    CHECK(gone.rest() == std::string_view{"\x89\0", 2});
    CHECK(log.wait("socket_closed"));
  }

  TEST_CASE_FIXTURE(world, "a client that answers pings stays") {
    settings.realtime.ping_after = settings.realtime.pong_within = 1s;
    const auto at = serve();
    auto here = connect(at);
    for (auto i = 0; i < 3; ++i) {
      REQUIRE(here.frame().opcode == 9);
      here.send_frame(10, "");
    }
    here.send_text("echo still");
    CHECK(here.frame().payload == "still");
    CHECK(log.count("socket_closed") == 0);
  }

  TEST_CASE_FIXTURE(world, "bytes before the handshake's answer are refused") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(std::format("GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly",
                            socket_path));
    CHECK(client.answer().status == 400);
  }
}

} // namespace jessica::test
