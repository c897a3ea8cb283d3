// A request and a response as routes see them: no Beast, no socket.
#pragma once

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

struct http_response {
  int status = 200;
  header_list headers; ///< Content-Length, Date and connection headers are added later
  std::string body;
};

} // namespace jessica::net
