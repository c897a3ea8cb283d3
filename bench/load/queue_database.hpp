// The PostgreSQL of the queue bench: made as the server makes its own, with our schema,
// people to send as, and nothing that runs by itself.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "storage/cluster.hpp"
#include "storage/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace jessica::bench {

class queue_database {
public:
  /// Main thread, before others are started. The cluster ends with this object.
  [[nodiscard]] static result<queue_database> open(const std::filesystem::path& home);

  [[nodiscard]] storage::endpoint where() const { return cluster_.where(); }
  /// The directory of the socket, for clients of other kinds.
  [[nodiscard]] const std::filesystem::path& socket() const noexcept { return socket_; }

  [[nodiscard]] pid_t postmaster() const noexcept { return cluster_.postmaster_pid(); }

  /// No message and no job; a checkpoint, so that every trial begins alike.
  [[nodiscard]] result<void> clear();
  /// No job, but the messages stay: user, conversation, message and reply of each.
  [[nodiscard]] result<storage::rows> forget_jobs();
  /// The planner knows the tables, as it does in a server that has been up for long.
  [[nodiscard]] result<void> analyze();
  /// A lease that outlives any trial.
  [[nodiscard]] result<lease_id> join();

  /// `count` turns from `first` on. Neighbours are of different conversations, as they
  /// are when many people write at once.
  [[nodiscard]] std::vector<turn> turns(std::size_t first, std::size_t count) const;

  /// Jobs that are not done with their reply complete, and jobs still in the queue.
  [[nodiscard]] result<std::uint64_t> unfinished();

private:
  queue_database(storage::cluster cluster, std::filesystem::path socket);
  [[nodiscard]] result<void> make_people();

  storage::cluster cluster_;
  std::filesystem::path socket_;
  storage::connection admin_;
  std::vector<std::pair<user_id, conversation_id>> seats_;
};

} // namespace jessica::bench
