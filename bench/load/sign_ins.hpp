// A crowd that signs in by password over HTTP, each as a user of its own.
#pragma once

#include "bench/load/histogram.hpp"
#include "bench/load/http_fleet.hpp"
#include "bench/load/servers.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::bench {

struct sign_in_score {
  histogram waited; ///< for a session
  histogram refused_after;
  std::uint64_t wrong = 0; ///< answers that are neither a session nor 429
  http_fleet::clock::duration took{};

  /// 200 is a session if it brings a token; 429 says that the queue is full.
  void take(int status, std::string_view body, http_fleet::clock::duration after);
};

/// Signs so many users up, each with an address and a password. Returns the whole
/// request in which each signs in. Fails: unavailable.
[[nodiscard]] result<std::vector<std::string>>
make_signers(const running_server& server, std::size_t signers);

/// One kept-alive connection for each request, which is repeated as soon as it is
/// answered. One thread at a time.
class sign_in_crowd final : http_fleet::talk {
public:
  /// The requests outlive the crowd.
  explicit sign_in_crowd(const std::vector<std::string>& requests)
      : requests_(requests), connections_(*this) {}

  [[nodiscard]] result<void> open(const running_server& server) {
    return connections_.open(server.port, requests_.size());
  }
  /// Signs in for so long, then waits for the last answers. Once. Fails: as
  /// http_fleet::run.
  [[nodiscard]] result<sign_in_score> run(http_fleet::clock::duration length);

private:
  std::string next(std::size_t client) override { return requests_[client]; }
  void answered(std::size_t client, int status, std::string_view body,
                http_fleet::clock::duration after) override;

  const std::vector<std::string>& requests_;
  http_fleet connections_;
  sign_in_score score_;
};

} // namespace jessica::bench
