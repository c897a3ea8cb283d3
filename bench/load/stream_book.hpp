// Follows the replies of one conversation and checks their numbers: no token may be
// missing or come twice (docs/reply-stream.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::bench {

/// What went by, over all books that share it.
struct stream_tally {
  std::uint64_t tokens = 0; ///< that came as deltas
  std::uint64_t completed = 0;
  std::uint64_t failed = 0; ///< or cancelled
  std::uint64_t gaps = 0;
  std::uint64_t duplicates = 0;
};

class stream_book {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit stream_book(stream_tally& tally) : tally_(&tally) {}

  /// A broadcast of the conversation's channel. Events of others are ignored.
  void take(std::string_view event, std::string_view payload, time_point at);

  struct stream {
    std::uint64_t attempt = 0;
    std::uint64_t seq = 0; ///< of the last token
    std::optional<time_point> first_token;
    bool over = false;
  };
  /// nullptr: nothing was heard of that reply yet.
  [[nodiscard]] const stream* find(std::string_view reply) const;
  void forget(std::string_view reply);

private:
  void grow(stream& which, bool announced, std::string_view payload, time_point at);
  void end(stream& which, std::string_view event, std::string_view payload);

  stream_tally* tally_;
  std::map<std::string, stream, std::less<>> streams_;
};

} // namespace jessica::bench
