// The servers under test: Jessica on a database of its own, and the peers.
#pragma once

#include "bench/load/peers.hpp"
#include "bench/load/process.hpp"
#include "bench/load/settings.hpp"
#include "bench/load/ws_client.hpp"
#include "storage/endpoint.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace jessica::bench {

/// A fresh directory below settings.scratch, removed with its owner.
class scratch_directory {
public:
  [[nodiscard]] static result<scratch_directory> make(const settings& how);
  scratch_directory(scratch_directory&& other) noexcept = default;
  ~scratch_directory();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
  explicit scratch_directory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

struct running_server {
  process child;
  std::uint16_t port = 0;
  std::string api_key; ///< Jessica's publishable one; the peer has none

  /// Where Realtime clients connect, or the peer's clients in this mode.
  [[nodiscard]] ws_address realtime() const;
  [[nodiscard]] ws_address peer(const relay_peer& which, std::string_view mode) const;
};

struct launch {
  std::optional<int> core;             ///< that it stays on
  bool keeps_silent = true;            ///< clients that send no heartbeat are kept
  std::vector<std::string> flags = {}; ///< of the scenario
};

/// `jessica up` with its database in `home`; a second start there finds its data again.
/// Limits on one client are lifted: the clients of a bench are busier than people.
[[nodiscard]] result<running_server>
start_jessica(const settings& how, const std::filesystem::path& home, const launch& as);

/// A server and the directory it lives in; they go together.
struct scratch_server {
  scratch_directory home;
  running_server server;
};
[[nodiscard]] result<scratch_server> start_scratch_server(const settings& how,
                                                          const launch& as);

/// The database of the server that was started in `home`.
[[nodiscard]] storage::endpoint database_in(const std::filesystem::path& home);

[[nodiscard]] result<running_server> start_peer(const settings& how,
                                                const relay_peer& which,
                                                const std::filesystem::path& home,
                                                std::optional<int> core);

} // namespace jessica::bench
