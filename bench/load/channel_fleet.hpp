// A fleet whose clients each join one Realtime topic and then broadcast in it.
#pragma once

#include "bench/load/fleet.hpp"
#include "bench/load/phoenix.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::bench {

struct seat {
  std::string topic; ///< "realtime:<name>"
  std::string token; ///< the user's; empty on public topics
};

class channel_fleet final : ws_client::listener {
public:
  /// Hears what comes after a client's join was answered.
  class listener {
  public:
    virtual ~listener() = default;
    virtual void heard(std::size_t client, const message& what) = 0;
  };

  explicit channel_fleet(listener& to) : to_(to), sockets_(*this) {}

  /// One more client for each seat, connected but not joined.
  [[nodiscard]] result<void> open(const ws_address& to, std::span<const seat> seats,
                                  fleet::seconds limit);
  /// Joins all that have not joined yet, a bounded number at a time. Fails: forbidden
  /// with the server's answer, and as fleet::run.
  [[nodiscard]] result<void> join(join_options how, fleet::seconds limit);

  /// Returns the push's ref, which its answer carries.
  std::uint64_t broadcast(std::size_t client, std::string_view event,
                          std::string_view payload);
  /// Its answer is heard.
  void heartbeat(std::size_t client);
  [[nodiscard]] result<void> run(const std::function<bool()>& done,
                                 fleet::seconds limit);
  /// As fleet's.
  void turn_at_least_every(std::chrono::nanoseconds time) {
    sockets_.turn_at_least_every(time);
  }
  [[nodiscard]] std::size_t size() const noexcept { return seats_.size(); }

private:
  struct taken_seat {
    seat where;
    std::uint64_t last_ref = join_ref;
    bool joined = false;
  };

  void frame(std::size_t client, const server_frame& what) override;
  void answered(std::size_t client, const message& what);

  listener& to_;
  fleet sockets_;
  std::vector<taken_seat> seats_;
  std::size_t joined_ = 0;
  std::optional<error> failure_;
};

} // namespace jessica::bench
