#include "bench/load/token_provider.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <format>
#include <string_view>
#include <tuple>
#include <utility>

namespace jessica::bench {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr auto head =
    std::string_view{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n"};

[[nodiscard]] std::int64_t now_ns() {
  return std::chrono::nanoseconds{clock::now().time_since_epoch()}.count();
}

/// As OpenAI's servers spell a token.
[[nodiscard]] std::string token_chunk(std::string_view text) {
  const auto body = std::format(
      "data: {{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\","
      "\"created\":1700000000,\"model\":\"bench\",\"system_fingerprint\":\"fp_0\","
      "\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"logprobs\":null,"
      "\"finish_reason\":null}}]}}\n\n",
      text);
  return std::format("{:x}\r\n{}\r\n", body.size(), body);
}

[[nodiscard]] std::string last_chunks() {
  const auto body = std::string_view{
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: "
      "{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n"
      "data: [DONE]\n\n"};
  return std::format("{:x}\r\n{}\r\n0\r\n\r\n", body.size(), body);
}

struct pace {
  std::size_t tokens;
  std::size_t per_second;
};

/// Reads one question; false when there is none any more.
asio::awaitable<bool> read_question(tcp::socket& from) {
  auto text = std::string{};
  auto [ec, size] = co_await asio::async_read_until(from, asio::dynamic_buffer(text),
                                                    "\r\n\r\n", as_values);
  if (ec)
    co_return false;
  constexpr auto name = std::string_view{"Content-Length: "};
  const auto at = text.find(name);
  auto length = std::size_t{0};
  if (at != text.npos)
    std::from_chars(text.data() + at + name.size(), text.data() + text.size(), length);
  const auto missing = size + length - std::min(size + length, text.size());
  auto rest = std::string(missing, '\0');
  auto [failed, got] = co_await asio::async_read(from, asio::buffer(rest), as_values);
  co_return !failed;
}

asio::awaitable<bool> answer(tcp::socket& to, pace at) {
  const auto asked = now_ns();
  auto due = clock::now();
  auto timer = asio::steady_timer{to.get_executor()};
  const auto first =
      std::string{head} + token_chunk(std::format("{} {} ", asked, now_ns()));
  auto [ec, size] = co_await asio::async_write(to, asio::buffer(first), as_values);
  const auto token = token_chunk("word ");
  for (auto left = at.tokens; left > 1 && !ec; --left) {
    due += std::chrono::nanoseconds{std::chrono::seconds{1}} / at.per_second;
    timer.expires_at(due);
    co_await timer.async_wait(as_values);
    std::tie(ec, size) = co_await asio::async_write(to, asio::buffer(token), as_values);
  }
  if (!ec)
    std::tie(ec, size) =
        co_await asio::async_write(to, asio::buffer(last_chunks()), as_values);
  co_return !ec;
}

asio::awaitable<void> serve(tcp::socket socket, pace at) {
  socket.set_option(tcp::no_delay{true});
  for (;;) {
    const auto asked = co_await read_question(socket);
    if (!asked)
      co_return;
    const auto answered = co_await answer(socket, at);
    if (!answered)
      co_return;
  }
}

asio::awaitable<void> listen(tcp::acceptor& door, pace at) {
  for (;;) {
    auto [ec, socket] = co_await door.async_accept(as_values);
    if (!ec)
      asio::co_spawn(door.get_executor(), serve(std::move(socket), at), asio::detached);
  }
}

} // namespace

result<token_provider> token_provider::start(std::size_t tokens,
                                             std::size_t per_second) {
  auto loop = asio::io_context{1};
  auto door = tcp::acceptor{loop};
  auto ec = boost::system::error_code{};
  door.open(tcp::v4(), ec);
  door.bind({asio::ip::make_address("127.0.0.1"), 0}, ec);
  door.listen(asio::socket_base::max_listen_connections, ec);
  if (ec)
    return fail(errc::unavailable, "no port for the provider: " + ec.message());
  const auto port = door.local_endpoint().port();
  loop.notify_fork(asio::execution_context::fork_prepare);
  const auto id = ::fork();
  if (id < 0)
    return fail(errc::unavailable, "no process for the provider");
  if (id > 0) {
    loop.notify_fork(asio::execution_context::fork_parent);
    return token_provider{id, port};
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  loop.notify_fork(asio::execution_context::fork_child);
  asio::co_spawn(loop, listen(door, {tokens, per_second}), asio::detached);
  loop.run();
  ::_exit(0);
}

token_provider::token_provider(token_provider&& other) noexcept
    : id_(std::exchange(other.id_, 0)), port_(other.port_) {}

token_provider::~token_provider() {
  if (id_ == 0)
    return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
}

std::string token_provider::url() const {
  return std::format("http://127.0.0.1:{}/v1", port_);
}

} // namespace jessica::bench
