// A provider's address, in parts.
#pragma once

#include "domain/error.hpp"

#include <string>
#include <string_view>

namespace jessica::engines {

struct provider_url {
  bool tls = false;
  std::string host; ///< without brackets
  std::string port;
  std::string path; ///< without a slash at the end; may be empty

  /// As a Host header has it: brackets and, when it is not the scheme's own, the port.
  [[nodiscard]] std::string authority() const;
  /// As a CONNECT has it: always with the port.
  [[nodiscard]] std::string host_and_port() const;
};

/// http:// or https://, a host, maybe a port and a path. Fails: invalid_input.
[[nodiscard]] result<provider_url> parse_provider_url(std::string_view text);

} // namespace jessica::engines
