#include "bench/load/peers.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <ranges>

namespace jessica::bench {
namespace {

constexpr auto all = std::array{
    relay_peer{.name = "ws", .script = "ws_server.mjs"},
    relay_peer{.name = "uws", .script = "uws_server.mjs", .needs_node20 = true},
    relay_peer{
        .name = "socket.io", .script = "socket_io_server.mjs", .is_socket_io = true},
};

} // namespace

result<std::vector<relay_peer>> relay_peers_named(std::string_view list) {
  auto named = std::vector<relay_peer>{};
  for (const auto part : std::views::split(list, ',')) {
    const auto name = std::string_view{part};
    const auto* const found = std::ranges::find(all, name, &relay_peer::name);
    if (found == all.end())
      return fail(errc::invalid_input, std::format("there is no peer {}", name));
    if (std::ranges::contains(named, name, &relay_peer::name))
      return fail(errc::invalid_input, std::format("{} is named twice", name));
    named.push_back(*found);
  }
  if (named.empty())
    return fail(errc::invalid_input, "at least one peer must be named");
  return named;
}

} // namespace jessica::bench
