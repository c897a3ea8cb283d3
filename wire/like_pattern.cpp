#include "wire/like_pattern.hpp"

#include "domain/utf8.hpp"

#include <cstddef>

namespace jessica::wire {
namespace {

// Ordinary patterns take one to two steps a byte.
constexpr auto steps_per_byte = std::size_t{16};
constexpr auto free_steps = std::size_t{4096};

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

result<like_pattern> like_pattern::read(std::string_view text, letter_case letters) {
  auto pattern = like_pattern{};
  pattern.letters_ = letters;
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (pattern.pieces_.empty() || pattern.pieces_.back().what != piece::kind::any)
        pattern.pieces_.push_back({piece::kind::any, '\0'});
      continue;
    }
    if (text[i] == '_') {
      pattern.pieces_.push_back({piece::kind::one, '\0'});
      continue;
    }
    if (text[i] == '\\' && ++i == text.size())
      return fail(errc::invalid_input,
                  "LIKE pattern must not end with escape character");
    const auto c = letters == letter_case::ignored ? lower(text[i]) : text[i];
    pattern.pieces_.push_back({piece::kind::text, c});
  }
  return pattern;
}

std::optional<bool> like_pattern::matches(std::string_view text) const {
  // Only the last % seen is ever tried again: an earlier one cannot do better.
  auto retry_piece = pieces_.size();
  auto retry_at = std::size_t{0};
  auto at = std::size_t{0};
  auto next = std::size_t{0};
  for (auto steps = text.size() * steps_per_byte + free_steps; steps > 0; --steps) {
    if (next < pieces_.size() && pieces_[next].what == piece::kind::any) {
      retry_piece = ++next;
      retry_at = at;
      if (next == pieces_.size())
        return true;
      continue;
    }
    if (at == text.size() && next == pieces_.size())
      return true;
    if (at == text.size())
      return false;
    if (next < pieces_.size() && pieces_[next].what == piece::kind::one) {
      at += first_code_point(text.substr(at)).size;
      ++next;
      continue;
    }
    const auto c = letters_ == letter_case::ignored ? lower(text[at]) : text[at];
    if (next < pieces_.size() && pieces_[next].byte == c) {
      ++at;
      ++next;
      continue;
    }
    if (retry_piece == pieces_.size())
      return false;
    retry_at += first_code_point(text.substr(retry_at)).size;
    at = retry_at;
    next = retry_piece;
  }
  return std::nullopt;
}

} // namespace jessica::wire
