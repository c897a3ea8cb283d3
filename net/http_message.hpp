// A request and a response as routes see them: no Beast, no socket.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::net {

using header_list = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  std::string method;  ///< "GET", ...
  std::string path;    ///< as sent, without the query; percent escapes kept
  std::string query;   ///< after '?', still encoded
  header_list headers; ///< names in lower case
  std::string body;
  std::string remote_ip;

  /// The first header of this lower-case name; empty when absent.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
  [[nodiscard]] bool has(std::string_view name) const noexcept;
};

/// Who asks, when `trusted_proxies` stand in front of us, each of which has added the
/// address it was asked from to X-Forwarded-For: what stands further to the left is the
/// client's own invention. `peer`: the socket's address; taken when the header does not
/// hold an address at that place.
[[nodiscard]] std::string client_address(const http_request& asked,
                                         const std::string& peer,
                                         std::size_t trusted_proxies);

class streamed_body;

struct http_response {
  int status = 200;
  header_list headers; ///< Content-Length, Date and connection headers are added later
  std::string body;
  /// Instead of `body`: sent as it is made. Of the reactor that was asked.
  std::shared_ptr<streamed_body> stream = nullptr;
};

} // namespace jessica::net
