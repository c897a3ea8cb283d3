// TCP on this machine, and what errno says when it fails.
#pragma once

#include "bench/load/descriptor.hpp"
#include "domain/error.hpp"

#include <netinet/in.h>

#include <cstdint>
#include <string_view>

namespace jessica::bench {

/// 127.0.0.1, or the address `host` after it.
[[nodiscard]] sockaddr_in loopback(std::uint16_t port, std::uint32_t host = 0);

/// A blocking socket that sends at once. Fails: unavailable.
[[nodiscard]] result<descriptor> connect_to(std::uint16_t port);

/// Unavailable: what `what` failed with.
[[nodiscard]] std::unexpected<error> broken(std::string_view what);

} // namespace jessica::bench
