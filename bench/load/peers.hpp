// The servers that hand frames on as Jessica's broadcast does, to compare it with.
#pragma once

#include "domain/error.hpp"

#include <string_view>
#include <vector>

namespace jessica::bench {

struct relay_peer {
  std::string_view name;
  std::string_view script;   ///< in bench/peers
  bool needs_node20 = false; ///< its binary was built for that node's interface
  bool is_socket_io = false; ///< speaks its protocol, not bare frames
};

/// Names with commas, in the order given. Fails: invalid_input (unknown, twice).
[[nodiscard]] result<std::vector<relay_peer>> relay_peers_named(std::string_view list);

} // namespace jessica::bench
