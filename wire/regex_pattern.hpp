// PostgreSQL's `~` and `~*`, as far as POSIX regular expressions go.
#pragma once

#include "domain/error.hpp"
#include "wire/like_pattern.hpp"

#include <cstddef>
#include <optional>
#include <regex>
#include <string_view>

namespace jessica::wire {

/// An extended regular expression, with PostgreSQL's \d \w \s (and \D \W \S outside of
/// brackets), escapes of punctuation, (?:...) and lazy quantifiers. No back references,
/// no look-around, no other letter escapes. Letters beyond ASCII do not fold; a class
/// sees bytes.
class regex_pattern {
public:
  /// Fails: invalid_input with why; also for more than 256 bytes, and for more than
  /// `most_states` states, counted with every repetition written out.
  [[nodiscard]] static result<regex_pattern>
  read(std::string_view text, letter_case letters, std::size_t most_states);

  /// Takes time linear in the text. Nothing for texts over 4 kB.
  [[nodiscard]] std::optional<bool> matches(std::string_view text) const;

  [[nodiscard]] std::size_t states() const noexcept { return states_; }

private:
  regex_pattern(std::regex compiled, std::size_t states);

  std::regex compiled_;
  std::size_t states_;
};

} // namespace jessica::wire
