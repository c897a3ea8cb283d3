#include "engines/token_estimate.hpp"

#include "domain/utf8.hpp"
#include "engines/unicode.hpp"

namespace jessica::engines {
namespace {

class counter {
public:
  void take(char32_t c) {
    constexpr auto letters_of_token = std::size_t{4};
    if ((c >= U'0' && c <= U'9') || (c >= U'A' && c <= U'Z') ||
        (c >= U'a' && c <= U'z')) {
      if (letters_++ % letters_of_token == 0)
        ++tokens_;
      return;
    }
    letters_ = 0;
    if (!is_white_space(c))
      ++tokens_;
  }
  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }

private:
  std::size_t tokens_ = 0;
  std::size_t letters_ = 0; ///< of the word so far
};

} // namespace

std::size_t estimated_tokens(std::string_view text) {
  auto count = counter{};
  while (!text.empty()) {
    const auto c = first_code_point(text);
    count.take(c.value);
    text.remove_prefix(c.size);
  }
  return count.tokens();
}

std::string_view start_within(std::string_view text, std::size_t most) {
  auto count = counter{};
  for (auto at = std::size_t{0}; at < text.size();) {
    const auto c = first_code_point(text.substr(at));
    count.take(c.value);
    if (count.tokens() > most)
      return text.substr(0, at);
    at += c.size;
  }
  return text;
}

} // namespace jessica::engines
