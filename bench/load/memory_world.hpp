// A server with the embedding model, and one user whose messages are searched.
#pragma once

#include "bench/load/http_client.hpp"
#include "bench/load/people.hpp"
#include "bench/load/servers.hpp"
#include "storage/connection.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jessica::bench {

/// Main thread, before others are started; the connections are for one thread.
class memory_world {
public:
  /// `server` was started with options().
  [[nodiscard]] static result<memory_world> make(const running_server& server,
                                                 const std::filesystem::path& home);
  /// What the server needs.
  [[nodiscard]] static std::vector<std::string> options(const settings& how);

  /// Stores a message of the user over REST and waits for its commit. `text` has no
  /// quotes. Another connection may do it in another thread.
  [[nodiscard]] result<void> store(http_client& by, std::string_view id,
                                   std::string_view text) const;
  /// The vector of a text, as JSON has it.
  [[nodiscard]] result<std::string> vector_of(std::string_view text);
  /// The ids of the messages that are found, best first; `fields` of the body.
  [[nodiscard]] result<std::vector<std::string>> search(std::string_view fields);
  /// Until all texts have vectors, and searches go by them.
  [[nodiscard]] result<void> settle();

  [[nodiscard]] storage::connection& database() noexcept { return database_; }

private:
  memory_world(http_client http, storage::connection database)
      : http_{std::move(http)}, database_{std::move(database)} {}

  http_client http_;
  storage::connection database_;
  std::string headers_;
  std::string user_;
  std::string conversation_;
};

} // namespace jessica::bench
