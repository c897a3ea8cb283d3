#include "mail/sender.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace jessica;
using namespace std::chrono_literals;

namespace {

/// What the server says when a line begins with a word; an empty answer: silence.
struct reply {
  std::string_view to;
  std::string_view says;
};

/// An SMTP server on loopback that follows a script: one connection after the other.
class scripted_server {
public:
  explicit scripted_server(std::vector<reply> script,
                           std::string_view greeting = "220 hi")
      : script_{std::move(script)}, greeting_{greeting} {
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto where = sockaddr_in{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto size = socklen_t{sizeof where};
    auto* const name = reinterpret_cast<sockaddr*>(&where);
    REQUIRE(::bind(listening_, name, size) == 0);
    REQUIRE(::listen(listening_, 4) == 0);
    REQUIRE(::getsockname(listening_, name, &size) == 0);
    port_ = ntohs(where.sin_port);
    thread_ = std::jthread{[this](const std::stop_token& end) { serve(end); }};
  }
  ~scripted_server() {
    thread_.request_stop();
    thread_.join();
    ::close(listening_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Lines the client sent so far, and a message's lines among them.
  [[nodiscard]] std::string heard() const {
    const auto hold = std::lock_guard{lock_};
    return heard_;
  }

private:
  [[nodiscard]] static bool wait(int socket, const std::stop_token& end) {
    constexpr auto look_ms = 20;
    while (!end.stop_requested()) {
      auto waits = pollfd{socket, POLLIN, 0};
      if (::poll(&waits, 1, look_ms) > 0)
        return true;
    }
    return false;
  }

  void serve(const std::stop_token& end) {
    while (wait(listening_, end)) {
      const auto client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0)
        return;
      say(client, greeting_);
      talk(client, end);
      ::close(client);
    }
  }

  static void say(int client, std::string_view line) {
    if (line.empty())
      return;
    const auto text = std::string{line} + "\r\n";
    [[maybe_unused]] const auto sent =
        ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
  }

  void talk(int client, const std::stop_token& end) {
    auto got = std::string{};
    auto in_data = false;
    auto piece = std::array<char, 4096>{};
    while (wait(client, end)) {
      const auto size = ::recv(client, piece.data(), piece.size(), 0);
      if (size <= 0)
        return;
      got.append(piece.data(), static_cast<std::size_t>(size));
      for (auto ends = got.find("\r\n"); ends != std::string::npos;
           ends = got.find("\r\n")) {
        const auto line = got.substr(0, ends);
        got.erase(0, ends + 2);
        {
          const auto hold = std::lock_guard{lock_};
          heard_ += line + '\n';
        }
        if (in_data && line != ".")
          continue;
        in_data = false;
        const auto found = std::ranges::find_if(
            script_, [&](const reply& one) { return line.starts_with(one.to); });
        const auto says = found == script_.end() ? "250 ok" : found->says;
        in_data = says.starts_with("354");
        say(client, says);
      }
    }
  }

  std::vector<reply> script_;
  std::string greeting_;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex lock_;
  std::string heard_;
  std::jthread thread_;
};

const auto text = mail::message{"no-reply@chat.example", "ada@example.org", "recovery",
                                "Subject: x\r\n\r\nhello\r\n.dot\r\n"};

[[nodiscard]] config::mail_settings plain(std::uint16_t port) {
  auto how = config::mail_settings{};
  how.smtp_host = "127.0.0.1";
  how.smtp_port = port;
  how.smtp_tls = "none";
  how.connect_timeout = 2s;
  how.timeout = 3s;
  return how;
}

[[nodiscard]] result<void> send_to(const scripted_server& server) {
  return mail::make_smtp(plain(server.port()), nullptr)->send(text);
}

constexpr auto good = reply{"DATA", "354 go on"};

} // namespace

TEST_SUITE("mail.smtp") {
  TEST_CASE("a message is handed over with its envelope, dots doubled") {
    const auto server = scripted_server{{good}};
    const auto to = mail::make_smtp(plain(server.port()), nullptr);
    REQUIRE(to->send(text));
    const auto heard = server.heard();
    CHECK(heard.contains("MAIL FROM:<no-reply@chat.example>"));
    CHECK(heard.contains("RCPT TO:<ada@example.org>"));
    CHECK(heard.contains("Subject: x\n\nhello\n..dot\n.\n"));
    REQUIRE(to->send(text)); // over the same connection
    const auto again = server.heard();
    CHECK(again.find("EHLO") == again.rfind("EHLO"));
    CHECK(again.find("RCPT TO") != again.rfind("RCPT TO"));
  }

  TEST_CASE("a port nobody listens on is for later") {
    auto port = std::uint16_t{};
    {
      const auto server = scripted_server{{}};
      port = server.port();
    }
    const auto sent = mail::make_smtp(plain(port), nullptr)->send(text);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::unavailable);
  }

  TEST_CASE("a refusal for now is for later") {
    for (const auto& script : {std::vector<reply>{{"RCPT", "451 try later"}},
                               std::vector<reply>{{"MAIL", "421 too busy"}},
                               std::vector<reply>{good, {".", "452 no space"}}}) {
      const auto server = scripted_server{script};
      const auto sent = send_to(server);
      REQUIRE_FALSE(sent);
      CHECK(sent.error().code == errc::unavailable);
    }
    const auto closed = scripted_server{{}, "421 not today"};
    const auto sent = send_to(closed);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::unavailable);
  }

  TEST_CASE("a refusal of the message is for good") {
    for (const auto& script : {std::vector<reply>{{"RCPT", "550 nobody here"}},
                               std::vector<reply>{{"MAIL", "553 not from you"}},
                               std::vector<reply>{{"DATA", "554 no"}},
                               std::vector<reply>{good, {".", "554 spam"}}}) {
      const auto server = scripted_server{script};
      const auto sent = send_to(server);
      REQUIRE_FALSE(sent);
      CAPTURE(sent.error().what);
      CHECK(sent.error().code == errc::invalid_input);
    }
  }

  TEST_CASE("a server that falls silent is waited for no longer than told") {
    const auto server = scripted_server{{{"RCPT", ""}}};
    auto how = plain(server.port());
    how.timeout = 1s;
    const auto sent = mail::make_smtp(how, nullptr)->send(text);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::timeout);
  }

  TEST_CASE("who wants to stop does not wait for a silent server") {
    const auto server = scripted_server{{{"RCPT", ""}}};
    auto how = plain(server.port());
    how.timeout = 3600s; // the test's own limit would end it
    const auto stop = std::make_shared<std::atomic<bool>>(true);
    const auto sent = mail::make_smtp(how, stop)->send(text);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::unavailable);
  }

  TEST_CASE("without STARTTLS nothing is said, least of all the password") {
    const auto server =
        scripted_server{{{"EHLO", "250-hi\r\n250 AUTH PLAIN LOGIN"}, good}};
    auto how = plain(server.port());
    how.smtp_tls = "starttls";
    how.smtp_user = "chat";
    how.smtp_password = "s3cret";
    const auto sent = mail::make_smtp(how, nullptr)->send(text);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::unavailable);
    CHECK_FALSE(sent.error().what.contains("s3cret"));
    CHECK_FALSE(server.heard().contains("AUTH"));
    CHECK_FALSE(server.heard().contains("MAIL"));
  }

  TEST_CASE("a password that is refused is the operator's matter: for later") {
    const auto server = scripted_server{
        {{"EHLO", "250-hi\r\n250 AUTH PLAIN"}, {"AUTH", "535 who are you"}}};
    auto how = plain(server.port());
    how.smtp_user = "chat";
    how.smtp_password = "s3cret";
    const auto sent = mail::make_smtp(how, nullptr)->send(text);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == errc::forbidden);
    CHECK_FALSE(sent.error().what.contains("s3cret"));
  }
}
