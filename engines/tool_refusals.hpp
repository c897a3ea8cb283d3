// Models that take no tools, as far as their providers' errors say. Pure: it is told
// the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

enum class tool_refusal : std::uint8_t {
  none,       ///< it is about something else
  this_once,  ///< it names tools: without them this question may be answered
  for_a_while ///< it says that tools are not supported
};

/// What an error says of the tools that came with the question. Servers have no code
/// for it: their words are read.
[[nodiscard]] tool_refusal read_tool_refusal(unsigned status, std::string_view words);

/// Remembers refusals for ten minutes: a server may be set up anew, and words be
/// misread.
class tool_refusals {
public:
  using clock = std::chrono::steady_clock;
  static constexpr auto kept_for = std::chrono::minutes{10};

  /// Is this model not to be told of tools now?
  [[nodiscard]] bool hold(std::string_view model, clock::time_point now) const;
  void remember(std::string_view model, clock::time_point now);

private:
  struct refusal {
    std::string model;
    clock::time_point until;
  };
  std::vector<refusal> all_; ///< the oldest first
};

} // namespace jessica::engines
