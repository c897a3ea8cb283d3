// WebSocket conversations as rows of a table: the bytes a client sends, piece by piece,
// and the bytes the server must answer, to the last one.
#pragma once

#include "socket_world.hpp"

#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <chrono>
#include <cstdint>
#include <format>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace jessica::test {

// Opcodes, and the bits beside them in a frame's first byte.
constexpr auto more = 0x0;
constexpr auto text = 0x1;
constexpr auto binary = 0x2;
constexpr auto close = 0x8;
constexpr auto ping = 0x9;
constexpr auto pong = 0xa;
constexpr auto rsv3 = 0x10;
constexpr auto all_rsv = 0x70;
constexpr auto fin = 0x80;

/// How a frame tells its length.
enum class width : std::uint8_t { least, bits16, bits64 };

/// An announced length or a close code in network order.
inline std::string big_endian(std::uint64_t value, unsigned bytes) {
  auto out = std::string{};
  for (auto left = bytes; left > 0; --left)
    out += static_cast<char>(value >> (8 * (left - 1)) & 0xff);
  return out;
}

/// The bytes of a frame before its mask.
inline std::string frame_head(int first, std::uint64_t size, bool masked = true,
                              width as = width::least) {
  const auto mask_bit = masked ? 0x80 : 0;
  auto out = std::string{static_cast<char>(first)};
  if (as == width::bits64 || (as == width::least && size > 0xffff))
    return out + static_cast<char>(mask_bit | 127) + big_endian(size, 8);
  if (as == width::bits16 || size > 125)
    return out + static_cast<char>(mask_bit | 126) + big_endian(size, 2);
  return out + static_cast<char>(mask_bit | static_cast<int>(size));
}

constexpr auto mask_key = std::string_view{"\x9a\x01\xff\x5c"};

inline std::string masked(std::string_view payload) {
  auto out = std::string{payload};
  for (auto i = std::size_t{0}; i < out.size(); ++i)
    out[i] = static_cast<char>(out[i] ^ mask_key[i % mask_key.size()]);
  return out;
}

/// A client's frame; `first` is its first byte.
inline std::string sent(int first, std::string_view payload = {},
                        width as = width::least) {
  return frame_head(first, payload.size(), true, as) + std::string{mask_key} +
         masked(payload);
}

/// A server's frame, always final.
inline std::string answered(int opcode, std::string_view payload) {
  return frame_head(fin | opcode, payload.size(), false) + std::string{payload};
}

inline std::string closing(unsigned code, std::string_view reason = {}) {
  return sent(fin | close, big_endian(code, 2) + std::string{reason});
}

inline std::string closed(unsigned code) {
  return answered(close, big_endian(code, 2));
}

/// "echo" makes the SESSION of these tests push the rest of the message back as text.
inline std::string echo(std::string_view what, int first = fin | text) {
  return sent(first, "echo " + std::string{what});
}

inline std::string echoed(std::string_view what) {
  return answered(text, what);
}

struct frame_case {
  std::string name;
  std::vector<std::string> pieces; ///< each is sent when the one before was read
  std::string answer;              ///< all that the server says before it closes
  unsigned code = 0; ///< it closes with this, and the connection ends; 0: it goes on
};

/// In pieces of one byte.
inline std::vector<std::string> byte_by_byte(std::string_view bytes) {
  auto out = std::vector<std::string>{};
  for (const auto byte : bytes)
    out.emplace_back(1, byte);
  return out;
}

/// In two pieces.
inline std::vector<std::string> cut(std::string_view bytes, std::size_t at) {
  return {std::string{bytes.substr(0, at)}, std::string{bytes.substr(at)}};
}

inline std::string shown(std::string_view bytes) {
  constexpr auto enough = std::size_t{48};
  auto out = std::format("{} bytes:", bytes.size());
  for (const auto byte : bytes.substr(0, enough))
    out += std::format(" {:02x}", static_cast<unsigned char>(byte));
  return out;
}

/// Waits until the server has read what `client` sent: what is sent next reaches it by
/// itself. The server's end is a descriptor of this process, too.
inline void settle(const raw_client& client) {
  constexpr auto most_descriptors = 4096;
  auto ours = sockaddr_in{};
  auto size = socklen_t{sizeof ours};
  ::getsockname(client.descriptor(), reinterpret_cast<sockaddr*>(&ours), &size);
  const auto is_other_end = [&](int descriptor) {
    auto peer = sockaddr_in{};
    size = sizeof peer;
    return ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
           peer.sin_port == ours.sin_port &&
           peer.sin_addr.s_addr == ours.sin_addr.s_addr;
  };
  auto server = 0;
  while (server < most_descriptors && !is_other_end(server))
    ++server;
  REQUIRE(server < most_descriptors);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto in_time = true;
  for (auto unread = 1;
       in_time && ::ioctl(server, FIONREAD, &unread) == 0 && unread > 0;) {
    std::this_thread::yield();
    in_time = std::chrono::steady_clock::now() < deadline;
  }
  REQUIRE(in_time);
}

struct frames_world : socket_world {
  frames_world() {
    settings.net.threads = 1;
    settings.realtime.max_frame_bytes = 70'000;
  }

  /// All that the server says in this conversation.
  static std::string hold(const frame_case& row, raw_client& client) {
    const auto on = 1;
    ::setsockopt(client.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (const auto& piece : row.pieces) {
      if (&piece != row.pieces.data())
        settle(client);
      client.send(piece);
    }
    if (row.code != 0)
      return client.rest();
    client.send(echo("still here"));
    auto said = client.until(echoed("still here"));
    said.resize(said.size() - echoed("still here").size());
    return said;
  }

  void check(const std::vector<frame_case>& table) {
    const auto at = serve();
    for (const auto& row : table) {
      CAPTURE(row.name);
      auto client = connect(at);
      const auto said = hold(row, client);
      const auto wanted = row.answer + (row.code == 0 ? "" : closed(row.code));
      CAPTURE(shown(said));
      CAPTURE(shown(wanted));
      CHECK(said.compare(wanted) == 0);
    }
    CHECK(log.wait("socket_closed", static_cast<int>(table.size())));
  }
};

} // namespace jessica::test
