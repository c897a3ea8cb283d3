// Completions asked for at a steady rate over many kept-alive connections, whether or
// not the earlier ones are answered; and when their first token and their end came.
#pragma once

#include "bench/load/histogram.hpp"
#include "bench/load/kept_sockets.hpp"
#include "domain/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::bench {

/// What token_provider wrote into its first token, wherever it stands in `bytes`.
struct provider_times {
  std::int64_t asked = 0; ///< ns of the steady clock; 0: not there
  std::int64_t said = 0;
};
[[nodiscard]] provider_times find_times(std::string_view bytes);

/// Whether a response is all there: chunked, or of a given length.
[[nodiscard]] bool is_whole_response(std::string_view bytes);

struct completion_score {
  histogram
      first; ///< from the question to its first token, without the provider's time
  histogram whole;           ///< to the end
  std::uint64_t refused = 0; ///< not 200, or without the provider's token
  std::uint64_t late = 0;    ///< asked late, as all connections were busy
};

class completion_fleet {
public:
  using clock = std::chrono::steady_clock;

  /// Each connection has a request of its own: one for each person, in turn.
  [[nodiscard]] static result<completion_fleet>
  open(std::uint16_t port, std::size_t connections, std::vector<std::string> requests);

  /// Asks `rate` times a second for so long, then waits for the last answers. Fails:
  /// unavailable (a connection was lost), timeout.
  [[nodiscard]] result<completion_score> run(std::size_t rate, clock::duration length);

private:
  struct client {
    std::string received;
    std::int64_t sent = 0;
    bool heard = false;
  };

  [[nodiscard]] result<void> ask(std::size_t number);
  [[nodiscard]] result<void> receive(std::size_t number, completion_score& to);

  std::vector<std::string> requests_;
  kept_sockets sockets_;
  std::vector<client> clients_;
  std::vector<std::size_t> idle_;
};

} // namespace jessica::bench
