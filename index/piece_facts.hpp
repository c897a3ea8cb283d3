// What is kept of a piece beside its vector, and which of it a filter passes.
#pragma once

#include "domain/memory.hpp"

#include <cstdint>
#include <type_traits>

namespace jessica::index {

/// As it lies in memory and in the file.
struct piece_facts {
  std::int64_t id = 0;
  std::int64_t said_at = 0; ///< microseconds since 1970
  uuid conversation;
  uuid message;
  message_role role = message_role::user;
  std::uint8_t padding[7] = {}; ///< written to the file, so not left open
};
static_assert(std::is_trivially_copyable_v<piece_facts> && sizeof(piece_facts) == 56);

[[nodiscard]] piece_facts facts_of(const embedded_piece& piece) noexcept;

/// A memory_filter made ready for many pieces.
class piece_filter {
public:
  explicit piece_filter(const memory_filter& filter) noexcept;

  /// It passes everything.
  [[nodiscard]] bool open() const noexcept { return open_; }
  [[nodiscard]] bool passes(const piece_facts& piece) const noexcept {
    return open_ || passes_all(piece);
  }

private:
  [[nodiscard]] bool passes_all(const piece_facts& piece) const noexcept;

  memory_filter wanted_;
  std::int64_t since_;
  std::int64_t before_;
  bool open_;
};

} // namespace jessica::index
