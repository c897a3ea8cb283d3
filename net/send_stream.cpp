#include "net/send_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <format>
#include <string_view>
#include <utility>

namespace jessica::net {

namespace asio = boost::asio;

namespace {

constexpr auto line_end = std::string_view{"\r\n"};
constexpr auto last_chunk = std::string_view{"0\r\n\r\n"};

} // namespace

asio::awaitable<bool> send_stream(tcp_socket& to, streamed_body& from,
                                  stream_form how) {
  auto before = std::move(how.head);
  for (;;) {
    const auto part = co_await from.next();
    if (!part)
      co_return false;
    auto after = std::string{};
    if (how.chunked && !part->bytes.empty()) {
      before += std::format("{:x}\r\n", part->bytes.size());
      after = line_end;
    }
    if (how.chunked && part->last)
      after += last_chunk;
    const auto pieces = std::array<asio::const_buffer, 3>{
        asio::buffer(before), asio::buffer(part->bytes), asio::buffer(after)};
    how.writing(true);
    const auto [ec, size] =
        co_await asio::async_write(to, pieces, asio::as_tuple(asio::use_awaitable));
    how.writing(false);
    if (ec)
      co_return false;
    if (part->last)
      co_return true;
    before.clear();
  }
}

} // namespace jessica::net
