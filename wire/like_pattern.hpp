// SQL's LIKE and ILIKE.
#pragma once

#include "domain/error.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace jessica::wire {

enum class letter_case : std::uint8_t { heeded, ignored /**< of ASCII letters */ };

/// `%` is any text, `_` one character, a backslash makes the next character plain.
class like_pattern {
public:
  /// Fails: invalid_input in PostgreSQL's words when a lone backslash ends it.
  [[nodiscard]] static result<like_pattern> read(std::string_view text,
                                                 letter_case letters);

  /// Takes time linear in the text, whatever the pattern: nothing when that was not
  /// enough to tell, which takes a pattern made for it.
  [[nodiscard]] std::optional<bool> matches(std::string_view text) const;

private:
  struct piece {
    enum class kind : std::uint8_t { text, one, any };
    kind what;
    char byte; ///< of text
  };

  std::vector<piece> pieces_;
  letter_case letters_ = letter_case::heeded;
};

} // namespace jessica::wire
