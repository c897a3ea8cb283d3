// Sends a body while it is made.
#pragma once

#include "net/frame_stream.hpp"
#include "net/streamed_body.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>

namespace jessica::net {

struct stream_form {
  std::string head;    ///< goes out with the first bytes of the body
  bool chunked = true; ///< else the connection's end is the body's
  /// Called before each write with true, after it with false: the client has to take
  /// what it is given, the maker may take its time.
  std::function<void(bool)> writing;
};

/// False: the client did not get all of it; the connection must end.
[[nodiscard]] boost::asio::awaitable<bool>
send_stream(tcp_socket& to, streamed_body& from, stream_form how);

} // namespace jessica::net
