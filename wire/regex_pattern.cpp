// GCC 14 under sanitizers takes the matchers of std::regex for uninitialized.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "wire/regex_pattern.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace jessica::wire {
namespace {

constexpr auto most_pattern_bytes = std::size_t{256};
constexpr auto most_text_bytes = std::size_t{4096};
constexpr auto most_counted_states = std::size_t{100'000}; // far from an overflow
constexpr auto most_repeats = std::size_t{255};            // PostgreSQL's own limit

[[nodiscard]] std::unexpected<error> invalid(std::string_view why) {
  return fail(errc::invalid_input, "invalid regular expression: " + std::string{why});
}

/// PostgreSQL's dialect into POSIX's, while the states are counted.
class regex_translator {
public:
  explicit regex_translator(std::string_view text) : rest_{text} {}

  [[nodiscard]] result<std::string> translate() {
    while (!rest_.empty())
      if (auto read = step(); !read)
        return std::unexpected{std::move(read.error())};
    if (groups_.size() > 1)
      return invalid("parentheses () not balanced");
    return std::move(out_);
  }

  [[nodiscard]] std::size_t states() const noexcept { return groups_.front(); }

private:
  [[nodiscard]] result<void> step() {
    const auto c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
    case '\\':
      return escape();
    case '[':
      return bracket();
    case '(':
      return open();
    case ')':
      return close();
    case '*':
    case '+':
    case '?':
      return quantifier(std::string_view{&c, 1}, 1);
    case '{':
      return braces();
    case '|':
    case '^':
    case '$':
      out_ += c;
      last_ = 0; // nothing that could be repeated
      return {};
    default:
      return atom(std::string_view{&c, 1});
    }
  }

  result<void> atom(std::string_view text, std::size_t states = 1) {
    out_ += text;
    last_ = states;
    groups_.back() += states;
    return {};
  }

  [[nodiscard]] static std::string_view class_of(char c) {
    static constexpr auto classes = std::array<std::pair<char, std::string_view>, 3>{
        {{'d', "[:digit:]"}, {'w', "[:alnum:]_"}, {'s', "[:space:]"}}};
    const auto* found =
        std::ranges::find(classes, c, [](auto& row) { return row.first; });
    return found == classes.end() ? std::string_view{} : found->second;
  }

  [[nodiscard]] result<void> escape() {
    if (rest_.empty())
      return invalid("invalid escape \\ sequence");
    const auto c = rest_.front();
    rest_.remove_prefix(1);
    const auto letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (const auto plain = class_of(c); !plain.empty())
      return atom("[" + std::string{plain} + "]");
    const auto small = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (const auto inverse = class_of(small); !inverse.empty())
      return atom("[^" + std::string{inverse} + "]");
    if (c == 'n' || c == 't')
      return atom(c == 'n' ? "\n" : "\t");
    if (letter)
      return invalid("this escape sequence is not supported");
    if (std::string_view{".[]\\*+?{}()|^$"}.contains(c))
      return atom("\\" + std::string{c});
    return atom(std::string_view{&c, 1});
  }

  /// The opening bracket is taken. A backslash escapes, as in PostgreSQL.
  [[nodiscard]] result<void> bracket() {
    auto set = std::string{"["};
    if (rest_.starts_with('^')) {
      set += '^';
      rest_.remove_prefix(1);
    }
    const auto start = set.size();
    auto last = std::string{}; // escaped characters that mean nothing only at the end
    for (auto first = true; !rest_.empty(); first = false) {
      const auto c = rest_.front();
      if (c == ']' && !first) {
        rest_.remove_prefix(1);
        if (set.size() == 1 && last.starts_with('^'))
          return invalid("this escape sequence in brackets [] is not supported");
        return atom(set + last + "]");
      }
      if (c == '[' && rest_.size() > 1 && std::string_view{":.="}.contains(rest_[1])) {
        const auto end = rest_.find(std::string{rest_[1], ']'}, 2);
        if (end == std::string_view::npos)
          break;
        set += rest_.substr(0, end + 2);
        rest_.remove_prefix(end + 2);
        continue;
      }
      rest_.remove_prefix(1);
      if (c != '\\')
        set += c;
      else if (!escape_in_bracket(set, start, last))
        return invalid("this escape sequence in brackets [] is not supported");
    }
    return invalid("brackets [] not balanced");
  }

  /// The backslash is taken.
  bool escape_in_bracket(std::string& set, std::size_t start, std::string& last) {
    if (rest_.empty())
      return false;
    const auto c = rest_.front();
    rest_.remove_prefix(1);
    if (const auto named = class_of(c); !named.empty())
      set += named;
    else if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      return false;
    else if (c == ']')
      set.insert(start, 1, c);
    else if (c == '[' || c == '^')
      last.insert(0, 1, c);
    else if (c == '-')
      last += c;
    else
      set += c;
    return true;
  }

  [[nodiscard]] result<void> open() {
    if (rest_.starts_with("?:"))
      rest_.remove_prefix(2);
    else if (rest_.starts_with('?'))
      return invalid("this kind of group is not supported");
    out_ += '(';
    groups_.push_back(1);
    last_ = 0;
    return {};
  }

  [[nodiscard]] result<void> close() {
    if (groups_.size() == 1)
      return invalid("parentheses () not balanced");
    const auto states = groups_.back();
    groups_.pop_back();
    return atom(")", states);
  }

  /// "{2}", "{2,}", "{2,5}"; the opening brace is taken.
  [[nodiscard]] result<void> braces() {
    const auto end = rest_.find('}');
    if (end == std::string_view::npos)
      return invalid("braces {} not balanced");
    const auto inside = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    const auto comma = std::min(inside.find(','), inside.size());
    const auto least = count(inside.substr(0, comma));
    auto most = least;
    if (least && comma < inside.size()) {
      const auto after = inside.substr(comma + 1);
      most = after.empty() ? *least + 1 : count(after);
    }
    if (!least || !most || *most < *least)
      return invalid("invalid repetition count(s)");
    return quantifier("{" + std::string{inside} + "}", std::max(*most, std::size_t{1}));
  }

  [[nodiscard]] static std::optional<std::size_t> count(std::string_view text) {
    auto value = std::size_t{0};
    const auto* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value > most_repeats)
      return std::nullopt;
    return value;
  }

  [[nodiscard]] result<void> quantifier(std::string_view text, std::size_t copies) {
    if (last_ == 0)
      return invalid("quantifier operand invalid");
    out_ += text;
    groups_.back() += last_ * (copies - 1) + 1;
    last_ = 0;
    if (groups_.back() > most_counted_states)
      return invalid("regular expression is too complex");
    if (rest_.starts_with('?')) // lazy: the same texts match
      rest_.remove_prefix(1);
    return {};
  }

  std::string_view rest_;
  std::string out_;
  std::vector<std::size_t> groups_{0}; ///< states of each group that is open
  std::size_t last_ = 0;               ///< states of what a quantifier would repeat
};

} // namespace

regex_pattern::regex_pattern(std::regex compiled, std::size_t states)
    : compiled_{std::move(compiled)}, states_{states} {}

result<regex_pattern> regex_pattern::read(std::string_view text, letter_case letters,
                                          std::size_t most_states) {
  using namespace std::regex_constants;
  if (text.size() > most_pattern_bytes)
    return invalid("regular expression is too complex");
  auto translator = regex_translator{text};
  const auto posix = translator.translate();
  if (!posix)
    return std::unexpected{posix.error()};
  if (translator.states() > most_states)
    return invalid("regular expression is too complex");
  // Without this flag of libstdc++ a match may take exponential time and a frame of the
  // stack for every byte. It takes whole matches only: searching tries every start
  // anew.
  auto flags = extended | nosubs | __polynomial;
  if (letters == letter_case::ignored)
    flags |= icase;
  try {
    return regex_pattern{std::regex{".*(" + *posix + ").*", flags},
                         translator.states()};
  } catch (const std::regex_error& e) {
    return invalid(e.what());
  }
}

std::optional<bool> regex_pattern::matches(std::string_view text) const {
  if (text.size() > most_text_bytes)
    return std::nullopt;
  try {
    return std::regex_match(text.begin(), text.end(), compiled_);
  } catch (const std::regex_error&) {
    return std::nullopt;
  }
}

} // namespace jessica::wire
