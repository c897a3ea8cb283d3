// SentencePiece's unigram tokenizer: of all ways to cut a text into pieces of the
// vocabulary, the likeliest.
#pragma once

#include "engines/piece_trie.hpp"
#include "engines/tokenizer.hpp"

#include <string>
#include <vector>

namespace jessica::engines {

struct scored_piece {
  std::string text; ///< U+2581 stands for a space
  float score = 0;  ///< logarithm of how frequent it is
};

struct unigram_vocabulary {
  std::vector<scored_piece> pieces; ///< the row is the id
  token_id unknown = 0;
  std::vector<token_id> special; ///< never found in a text, like `unknown`
};

struct unigram_options {
  bool nfkc = true;
  bool lowercase = false;
  bool space_in_front = true; ///< the first word looks like all others
};

/// Follows SentencePiece where its JavaScript descendants do not: a run of unknown
/// characters is one token, which costs 10 more than the rarest piece; of ways that are
/// equally likely the one found first counts.
class unigram_tokenizer final : public tokenizer {
public:
  unigram_tokenizer(const unigram_vocabulary& words, unigram_options how);

  [[nodiscard]] std::vector<token_id> encode(std::string_view text) const override;
  [[nodiscard]] token_id highest_id() const noexcept override;

private:
  [[nodiscard]] std::string prepared(std::string_view text) const;

  unigram_options how_;
  token_id unknown_;
  float unknown_score_ = 0;
  std::vector<float> scores_; ///< by id
  piece_trie pieces_;
};

} // namespace jessica::engines
