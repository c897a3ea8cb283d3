#include "bench/load/completion_fleet.hpp"

#include <charconv>
#include <utility>

namespace jessica::bench {
namespace {

/// For the last answers.
constexpr auto drain_limit = std::chrono::seconds{20};

[[nodiscard]] std::int64_t now_ns() {
  return std::chrono::nanoseconds{completion_fleet::clock::now().time_since_epoch()}
      .count();
}

} // namespace

provider_times find_times(std::string_view bytes) {
  constexpr auto mark = std::string_view{R"("content":")"};
  for (auto at = bytes.find(mark); at != std::string_view::npos;
       at = bytes.find(mark, at + 1)) {
    auto times = provider_times{};
    const auto* const end = bytes.data() + bytes.size();
    const auto asked =
        std::from_chars(bytes.data() + at + mark.size(), end, times.asked);
    if (asked.ec != std::errc{} || asked.ptr == end || *asked.ptr != ' ')
      continue;
    const auto said = std::from_chars(asked.ptr + 1, end, times.said);
    if (said.ec == std::errc{} && said.ptr != end && *said.ptr == ' ')
      return times;
  }
  return {};
}

bool is_whole_response(std::string_view bytes) {
  constexpr auto length = std::string_view{"\r\nContent-Length: "};
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return false;
  const auto head = bytes.substr(0, end + 2);
  const auto at = head.find(length);
  if (at == std::string_view::npos)
    return bytes.size() > end + 4 && bytes.ends_with("\r\n0\r\n\r\n");
  auto size = std::size_t{0};
  std::from_chars(head.data() + at + length.size(), head.data() + head.size(), size);
  return bytes.size() >= end + 4 + size;
}

result<completion_fleet> completion_fleet::open(std::uint16_t port,
                                                std::size_t connections,
                                                std::vector<std::string> requests) {
  auto made = completion_fleet{};
  made.requests_ = std::move(requests);
  made.clients_.resize(connections);
  for (auto i = std::size_t{0}; i < connections; ++i)
    made.idle_.push_back(i);
  return made.sockets_.open(port, connections).transform([&] {
    return std::move(made);
  });
}

result<void> completion_fleet::ask(std::size_t number) {
  auto& one = clients_[number];
  const auto& request = requests_[number % requests_.size()];
  one.received.clear();
  one.heard = false;
  one.sent = now_ns();
  return sockets_.send(number, request);
}

result<void> completion_fleet::receive(std::size_t number, completion_score& to) {
  auto& one = clients_[number];
  if (auto got = sockets_.receive(number, one.received); !got)
    return got;
  const auto now = now_ns();
  if (!one.heard)
    if (const auto times = find_times(one.received); times.asked != 0) {
      one.heard = true;
      to.first.record(
          std::chrono::nanoseconds{now - one.sent - (times.said - times.asked)});
    }
  if (!is_whole_response(one.received))
    return {};
  to.whole.record(std::chrono::nanoseconds{now - one.sent});
  to.refused += one.heard && one.received.starts_with("HTTP/1.1 200") ? 0 : 1;
  idle_.push_back(number);
  return {};
}

result<completion_score> completion_fleet::run(std::size_t rate,
                                               clock::duration length) {
  const auto pause = std::chrono::nanoseconds{std::chrono::seconds{1}} / rate;
  auto score = completion_score{};
  const auto begun = clock::now();
  const auto end = begun + length;
  auto due = begun;
  while (due < end || idle_.size() < clients_.size()) {
    for (auto now = clock::now(); due < end && due <= now && !idle_.empty();
         due += pause) {
      score.late += now - due > std::chrono::milliseconds{100} ? 1 : 0;
      const auto next = idle_.back();
      idle_.pop_back();
      if (auto asked = ask(next); !asked)
        return std::unexpected{asked.error()};
    }
    if (clock::now() > end + drain_limit)
      return fail(errc::timeout, "answers are missing");
    const auto wait =
        std::chrono::microseconds{due < end && !idle_.empty() ? 200 : 5000};
    for (const auto number : sockets_.heard(wait))
      if (auto got = receive(number, score); !got)
        return std::unexpected{got.error()};
  }
  return score;
}

} // namespace jessica::bench
