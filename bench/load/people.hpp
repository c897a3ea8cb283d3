// Signed-in users, and private channels of theirs that no chat has begun in.
#pragma once

#include "bench/load/channel_fleet.hpp"
#include "bench/load/http_client.hpp"
#include "bench/load/servers.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace jessica::bench {

struct person {
  std::string id;
  std::string token;
};

/// Signs up anonymously, the way the client does. Fails: unavailable.
[[nodiscard]] result<person> sign_up(http_client& http, const running_server& server);
[[nodiscard]] result<std::vector<person>> sign_up(const running_server& server,
                                                  std::size_t people);

/// So many conversations without messages, `each` of them a user's, as seats of their
/// private channels. They are put straight into the server's database in `home`: no
/// reply is written that would disturb what follows.
[[nodiscard]] result<std::vector<seat>>
empty_conversations(const running_server& server, const std::filesystem::path& home,
                    std::size_t conversations, std::size_t each);

} // namespace jessica::bench
