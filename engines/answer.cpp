#include "engines/answer.hpp"

#include "domain/utf8.hpp"
#include "engines/extract.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <string_view>
#include <vector>

namespace jessica::engines {
namespace {

constexpr auto notice = std::string_view{
    "This is Jessica's built-in engine; no language model is configured yet: "
    "JESSICA_ENGINE_URL connects one."};
constexpr auto purpose = std::string_view{
    "Until one is, I answer with what you told me earlier in this conversation."};

/// Of a long message only the start is read: the answer quotes a line or two anyway.
constexpr auto read_bytes = std::size_t{4096};
constexpr auto quote_words = std::size_t{16};
constexpr auto quote_bytes = std::size_t{160};
constexpr auto topic_words = std::size_t{3};
constexpr auto topic_bytes = std::size_t{48};
constexpr auto quotes_shown = std::size_t{2};

std::string quoted(std::string_view text) {
  return "\u201c" + excerpt(text, quote_words, quote_bytes) + "\u201d";
}

/// “a”, “b” and “c”
std::string listed(const std::vector<std::string>& parts) {
  auto all = std::string{};
  for (auto i = std::size_t{0}; i < parts.size(); ++i)
    all.append(i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ").append(parts[i]);
  return all;
}

std::string topic_of(std::string_view question) {
  auto words = keywords(question);
  words.resize(std::min(words.size(), topic_words));
  for (auto& word : words)
    word = excerpt(word, 1, topic_bytes);
  return listed(words);
}

bool asks_what_was_said(std::string_view question) {
  constexpr auto ways = std::array<std::string_view, 10>{"what did i say",
                                                         "what have i said",
                                                         "what did i tell",
                                                         "what have i told",
                                                         "what did i write",
                                                         "what did i ask",
                                                         "what do you know about me",
                                                         "do you remember",
                                                         "summarize",
                                                         "summarise"};
  auto lower = excerpt(question, 40, 400);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::any_of(ways, [&](auto way) { return lower.contains(way); });
}

std::string times(std::size_t count, std::string_view noun) {
  return count == 1 ? std::format("one {}", noun) : std::format("{} {}s", count, noun);
}

std::string greet(std::string_view question) {
  if (excerpt(question, 1, quote_bytes).empty())
    return std::format("Hello! Your message is empty, so there is nothing to answer "
                       "yet. {} {}",
                       notice, purpose);
  return std::format("Hello! You wrote: {}. {} {} Tell me something, then ask me "
                     "about it.",
                     quoted(question), notice, purpose);
}

std::string recall(const std::vector<std::string_view>& earlier) {
  auto quotes = std::vector<std::string>{};
  const auto from = earlier.size() - std::min(earlier.size(), quotes_shown);
  for (auto i = from; i < earlier.size(); ++i)
    quotes.push_back(quoted(earlier[i]));
  return std::format("Before this one I can see {} from you. {}: {}. {}",
                     times(earlier.size(), "message"),
                     quotes.size() == 1 ? "You said" : "The latest are", listed(quotes),
                     notice);
}

std::string quote_matches(std::string_view question,
                          const std::vector<std::string_view>& matches,
                          std::size_t messages) {
  auto quotes = std::vector<std::string>{};
  for (const auto& one : matches)
    quotes.push_back(quoted(one));
  return std::format("On {}: earlier you said {}. That is the closest I find in {} "
                     "before this one. {}",
                     topic_of(question), listed(quotes), times(messages, "message"),
                     notice);
}

std::string echo(std::string_view question,
                 const std::vector<std::string_view>& earlier) {
  const auto topic = topic_of(question);
  return std::format("You wrote: {}. {} in {} before it. The last of them was {}. {}",
                     quoted(question),
                     topic.empty() ? "I find nothing that matches"
                                   : std::format("I find nothing about {}", topic),
                     earlier.size() == 1
                         ? "your one message"
                         : std::format("your {} messages", earlier.size()),
                     quoted(earlier.back()), notice);
}

/// What memory found was looked for by its meaning: it needs no words in common.
std::string remember(std::string_view question,
                     const std::vector<recalled_memory>& memories) {
  auto quotes = std::vector<std::string>{};
  for (const auto& one : memories) {
    if (quotes.size() == quotes_shown)
      break;
    quotes.push_back(std::format("{} {}", one.role == "user" ? "you said" : "I said",
                                 quoted(cut_utf8(one.excerpt, read_bytes))));
  }
  const auto topic = topic_of(question);
  return std::format("{}I remember: {}. That is the closest I find in what was said "
                     "before. {}",
                     topic.empty() ? "" : std::format("On {}, ", topic), listed(quotes),
                     notice);
}

} // namespace

std::string compose_answer(const prompt& asked) {
  const auto question = asked.turns.empty()
                            ? std::string_view{}
                            : cut_utf8(asked.turns.back().content, read_bytes);
  auto earlier = std::vector<std::string_view>{};
  for (auto i = std::size_t{0}; i + 1 < asked.turns.size(); ++i)
    if (asked.turns[i].role == "user")
      earlier.push_back(cut_utf8(asked.turns[i].content, read_bytes));
  const auto blank = excerpt(question, 1, quote_bytes).empty();
  if (!asked.memories.empty() && !blank && !asks_what_was_said(question))
    return remember(question, asked.memories);
  if (earlier.empty() || blank)
    return greet(question);
  if (asks_what_was_said(question))
    return recall(earlier);
  const auto matches = best_sentences(earlier, question, quotes_shown);
  return matches.empty() ? echo(question, earlier)
                         : quote_matches(question, matches, earlier.size());
}

} // namespace jessica::engines
