// Puts the calls of tools together that a stream tells piece by piece. Pure.
#pragma once

#include "domain/chat.hpp"
#include "engines/fault.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jessica::engines {

/// What one chunk says of one call. Empty texts: nothing.
struct call_piece {
  std::optional<std::int64_t> index; ///< of the call; some servers tell none
  std::string id;
  std::string name;
  std::string arguments; ///< more of them
};

class call_pieces {
public:
  static constexpr auto most_calls = std::size_t{16};
  static constexpr auto most_bytes = std::size_t{131'072}; ///< of all arguments

  /// A piece belongs to the last call of its index, unless its id is another one;
  /// without an index to the last call, unless it brings an id or a name. Not empty:
  /// there are more calls, or more of them, than there may be.
  [[nodiscard]] std::optional<provider_fault> add(call_piece piece);

  [[nodiscard]] bool empty() const noexcept { return calls_.empty(); }
  /// A call that has no name: nobody can tell what it wants.
  [[nodiscard]] bool has_nameless() const noexcept;
  /// In the order in which they began. Ids that were not told, were told twice or are
  /// no ids but books are made up.
  [[nodiscard]] std::vector<tool_call> finish() const;

private:
  struct growing {
    std::optional<std::int64_t> index;
    tool_call call;
  };

  [[nodiscard]] growing* find(const call_piece& piece);

  std::vector<growing> calls_;
  std::size_t bytes_ = 0;
};

} // namespace jessica::engines
