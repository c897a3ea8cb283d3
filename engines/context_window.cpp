#include "engines/context_window.hpp"

namespace jessica::engines {
namespace {

/// Roles and marks around a message.
constexpr auto tokens_around = std::size_t{4};

[[nodiscard]] std::size_t size_of(const past_turn& one, token_family family) {
  auto tokens = estimated_tokens(one.content, family) + tokens_around;
  for (const auto& call : one.calls)
    tokens += estimated_tokens(call.name, family) +
              estimated_tokens(call.arguments, family) + tokens_around;
  return tokens;
}

[[nodiscard]] std::size_t size_of_rest(const prompt& asked, token_family family) {
  auto tokens = asked.system && !asked.system->empty()
                    ? estimated_tokens(*asked.system, family) + tokens_around
                    : std::size_t{0};
  for (const auto& one : asked.tools)
    tokens += estimated_tokens(one.name, family) +
              estimated_tokens(one.description, family) +
              estimated_tokens(one.parameters, family) + tokens_around;
  return tokens;
}

/// No text has many more tokens than bytes: most prompts fit without being counted.
[[nodiscard]] bool surely_fits(const prompt& asked, std::size_t room) {
  auto bytes = asked.system ? asked.system->size() : std::size_t{0};
  for (const auto& one : asked.tools)
    bytes += one.name.size() + one.description.size() + one.parameters.size();
  for (const auto& one : asked.turns) {
    bytes += one.content.size();
    for (const auto& call : one.calls)
      bytes += call.name.size() + call.arguments.size() + tokens_around;
  }
  const auto marks = (asked.turns.size() + asked.tools.size() + 1) * tokens_around;
  return bytes + bytes / 4 + marks <= room;
}

} // namespace

std::size_t first_turn_within(const prompt& asked, const context_window& window) {
  const auto room =
      window.tokens > window.reply_tokens ? window.tokens - window.reply_tokens : 0;
  if (window.tokens == 0 || surely_fits(asked, room))
    return 0;
  auto tokens = size_of_rest(asked, window.family);
  auto first = asked.turns.size();
  auto seen_user = false;
  for (auto i = asked.turns.size(); i-- > 0;) {
    const auto& one = asked.turns[i];
    tokens += size_of(one, window.family);
    if (seen_user && tokens > room)
      return first;
    if (one.role == "user" || one.role == "system")
      first = i;
    seen_user = seen_user || one.role == "user";
  }
  return 0;
}

std::size_t estimated_tokens(const prompt& asked, std::size_t first_turn,
                             token_family family) {
  auto tokens = size_of_rest(asked, family);
  for (auto i = first_turn; i < asked.turns.size(); ++i)
    tokens += size_of(asked.turns[i], family);
  return tokens;
}

} // namespace jessica::engines
