// BERT's tokenizer: words, cut into the longest pieces of the vocabulary from the left.
#pragma once

#include "engines/tokenizer.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace jessica::engines {

struct wordpiece_options {
  bool lowercase = true;
  bool strip_accents = true;
  bool chinese_chars = true; ///< each is a word
  bool clean_text = true;    ///< control characters go, white space is one space
  std::string unknown = "[UNK]";
  std::string continuing = "##";        ///< in front of pieces inside a word
  std::size_t max_chars_per_word = 100; ///< a longer word is unknown
};

/// Looked up without making strings.
struct piece_hash {
  using is_transparent = void;
  [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
using piece_ids =
    std::unordered_map<std::string, token_id, piece_hash, std::equal_to<>>;

class wordpiece_tokenizer final : public tokenizer {
public:
  /// `pieces` must hold the unknown token.
  wordpiece_tokenizer(piece_ids pieces, wordpiece_options how);

  [[nodiscard]] std::vector<token_id> encode(std::string_view text) const override;
  [[nodiscard]] token_id highest_id() const noexcept override { return highest_; }

private:
  [[nodiscard]] std::string prepared(std::string_view text) const;
  void append_word(std::string_view word, std::vector<token_id>& to) const;

  piece_ids pieces_;
  wordpiece_options how_;
  token_id unknown_ = 0;
  token_id highest_ = 0;
  std::size_t longest_piece_ = 0; ///< bytes
};

} // namespace jessica::engines
