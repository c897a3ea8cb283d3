#include "bench/load/conversations.hpp"

#include "bench/load/http_client.hpp"
#include "bench/load/json_field.hpp"

#include <algorithm>
#include <format>
#include <string_view>
#include <thread>

namespace jessica::bench {
namespace {

/// So that sign-ups share commits.
constexpr auto threads = std::size_t{8};

[[nodiscard]] result<std::string> field_of(const result<http_answer>& from, int status,
                                           std::string_view name) {
  if (!from)
    return std::unexpected{from.error()};
  const auto value = text_field(from->body, name);
  if (from->status != status || !value)
    return fail(errc::unavailable,
                std::format("the server answered {}: {}", from->status, from->body));
  return std::string{*value};
}

[[nodiscard]] result<void> open_some(const running_server& server, std::span<seat> into,
                                     std::size_t each) {
  auto http = http_client::connect(server.port);
  if (!http)
    return std::unexpected{std::move(http.error())};
  const auto key_line = std::format("apikey: {}\r\n", server.api_key);
  auto token = std::string{};
  for (auto i = std::size_t{0}; i < into.size(); ++i) {
    if (i % each == 0) {
      auto signed_up =
          field_of(http->post("/auth/v1/signup", key_line, R"({"data":{}})"), 200,
                   "access_token");
      if (!signed_up)
        return std::unexpected{std::move(signed_up.error())};
      token = std::move(*signed_up);
    }
    const auto headers = key_line + std::format("Authorization: Bearer {}\r\n", token);
    const auto topic = field_of(http->post("/functions/v1/enqueue-inference", headers,
                                           R"({"content":"Hello, who are you?"})"),
                                202, "topic");
    if (!topic)
      return std::unexpected{topic.error()};
    into[i] = {"realtime:" + *topic, token};
  }
  return {};
}

} // namespace

result<std::vector<seat>> open_conversations(const running_server& server,
                                             std::size_t conversations,
                                             std::size_t each) {
  auto seats = std::vector<seat>(conversations);
  const auto share = (conversations + threads - 1) / threads;
  auto outcomes = std::vector<result<void>>(threads);
  {
    auto running = std::vector<std::jthread>{};
    for (auto i = std::size_t{0}; i < threads; ++i) {
      const auto from = std::min(conversations, i * share);
      const auto to = std::min(conversations, from + share);
      running.emplace_back([&, i, part = std::span{seats}.subspan(from, to - from)] {
        outcomes[i] = part.empty() ? result<void>{} : open_some(server, part, each);
      });
    }
  }
  for (auto& one : outcomes)
    if (!one)
      return std::unexpected{std::move(one.error())};
  return seats;
}

} // namespace jessica::bench
