// Finds which pieces of a vocabulary a text starts with.
#pragma once

#include "engines/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::engines {

/// A tree over the pieces' bytes; a node's children stand side by side, in order.
class piece_trie {
public:
  /// Of pieces that are alike the last one counts; empty ones are left out.
  explicit piece_trie(std::vector<std::pair<std::string, token_id>> pieces);

  /// Calls `take(bytes, id)` for each piece the text starts with, the shortest first.
  template <class Take> void each_prefix(std::string_view text, Take take) const {
    const auto* at = nodes_.data();
    for (auto bytes = std::size_t{1}; bytes <= text.size(); ++bytes) {
      at = child(*at, static_cast<unsigned char>(text[bytes - 1]));
      if (at == nullptr)
        return;
      if (at->id != no_piece)
        take(bytes, at->id);
    }
  }

private:
  static constexpr auto no_piece = token_id{-1};

  struct node {
    token_id id = no_piece;
    std::uint32_t first_child = 0;
    std::uint16_t children = 0;
    unsigned char byte = 0;
  };

  [[nodiscard]] const node* child(const node& of, unsigned char byte) const;

  std::vector<node> nodes_;
};

} // namespace jessica::engines
