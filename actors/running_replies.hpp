// The replies that are being written in a room, and how its members hear of them.
#pragma once

#include "actors/audience.hpp"
#include "actors/slow_readers.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace jessica::actors {

/// One room's. No CAF: it tells an audience.
class running_replies {
public:
  [[nodiscard]] bool empty() const noexcept { return replies_.empty(); }
  [[nodiscard]] bool runs(message_id reply) const;

  /// What an older attempt still says is not heard.
  void begin(const audience& to, const reply_begun& msg);
  void grow(const audience& to, const reply_grew& msg);
  /// Who was too slow for the last deltas gets them first, in one.
  void end(const audience& to, const reply_over& msg);

  /// A snapshot of each, for a member that begins to hear.
  void show(const audience& in, const member& to) const;
  /// The member is gone, or hears no more.
  void forget(socket_number socket);

private:
  /// As a joining client must learn of it.
  struct running {
    message_id id;
    std::int32_t attempt = 1;
    std::uint64_t seq = 0;
    std::string text;
    std::vector<recalled_memory> memories; ///< that its engine was given
  };

  [[nodiscard]] std::vector<running>::iterator find(message_id reply);
  void catch_up(const audience& to, const running& reply);

  std::vector<running> replies_; ///< few: one a conversation, as a rule
  slow_readers slow_;
};

} // namespace jessica::actors
