#include "bench/load/socket_io.hpp"

#include <cstddef>
#include <format>

namespace jessica::bench {
namespace {

constexpr auto before_event = std::string_view{R"(42[")"};
constexpr auto after_event = std::string_view{R"(",)"};

/// 42["name",argument]
[[nodiscard]] socket_io_packet read_event(std::string_view text) {
  const auto end = text.find('"', before_event.size());
  if (end == std::string_view::npos || !text.substr(end).starts_with(after_event) ||
      !text.ends_with(']'))
    return {};
  const auto from = end + after_event.size();
  return {.kind = socket_io_packet::what::event,
          .event = text.substr(before_event.size(), end - before_event.size()),
          .argument = text.substr(from, text.size() - 1 - from)};
}

} // namespace

socket_io_packet read_socket_io(std::string_view text) {
  using enum socket_io_packet::what;
  if (text.starts_with(before_event))
    return read_event(text);
  const auto kind = text == "2"               ? ping
                    : text.starts_with("0{")  ? open
                    : text.starts_with("40{") ? connected
                                              : other;
  return {.kind = kind, .event = {}, .argument = {}};
}

std::string socket_io_event(std::string_view event, std::string_view argument) {
  return std::format("{}{}{}{}]", before_event, event, after_event, argument);
}

} // namespace jessica::bench
