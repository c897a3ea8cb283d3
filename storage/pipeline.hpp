// A session whose statements travel without waiting: send() what belongs to one
// transaction, advance() when the socket says so. Private to this room and its tests.
#pragma once

#include "domain/error.hpp"
#include "storage/connection.hpp"
#include "storage/session.hpp"
#include "storage/statement_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct pg_cancel_conn;

namespace jessica::storage {

/// A handle that ends what a session does at that moment, from another thread.
class statement_stop {
public:
  explicit statement_stop(const pg_conn* of);
  ~statement_stop();
  statement_stop(const statement_stop&) = delete;
  statement_stop& operator=(const statement_stop&) = delete;

  /// Asks the server over a connection of its own and waits until the server has done
  /// it. A session that is idle by then is not touched.
  void send() noexcept;

private:
  pg_cancel_conn* cancel_;
};

/// One thread at a time; sends and receives without blocking, but for open().
class pipeline {
public:
  /// What one round trip gave: the rows of each statement, or why all was rolled back.
  using outcome = result<std::vector<rows>>;

  /// Connects, blocking. Fails like connection::ensure().
  [[nodiscard]] static result<pipeline> open(const endpoint& where,
                                             std::string_view role, commits how);

  /// Starts one transaction of these statements; the earlier one must be over. False:
  /// the session is lost.
  [[nodiscard]] bool send(std::span<const statement> statements);
  /// Sends and receives what can be. nullopt: not over yet. After a failure look at
  /// lost(): a session that is not lost can be used on.
  [[nodiscard]] std::optional<outcome> advance();

  [[nodiscard]] bool lost() const noexcept { return open_ == nullptr; }
  /// Did the server say goodbye while nothing was under way?
  [[nodiscard]] bool gone() const;
  /// Why the session is lost.
  [[nodiscard]] const error& loss() const noexcept { return loss_; }
  /// Is there something to be sent that the socket did not take?
  [[nodiscard]] bool unsent() const noexcept { return unsent_; }
  [[nodiscard]] int socket() const noexcept;
  [[nodiscard]] std::shared_ptr<statement_stop> stop() const;

  /// All statements are prepared anew from here on.
  void forget_prepared() { prepared_->give_up(); }

  /// Did it fail because what was prepared no longer fits the schema? Nothing was
  /// stored then, and after forget_prepared() it can be sent again.
  [[nodiscard]] static bool is_stale(const error& why);

private:
  explicit pipeline(session open);
  [[nodiscard]] bool send_one(const statement& one, std::size_t index);
  [[nodiscard]] std::optional<outcome> take(answer got);
  [[nodiscard]] outcome finish();
  [[nodiscard]] outcome lose();
  void forget_unparsed();

  // What each answer of a round trip belongs to.
  enum class part : std::uint8_t { closed, parsed, rows };
  struct command {
    part what;
    std::size_t statement = 0;
  };

  session open_;
  std::unique_ptr<statement_cache> prepared_;
  /// Of the statements under way: those that were not prepared are forgotten.
  std::vector<std::string> texts_;
  std::vector<command> plan_;
  std::size_t at_ = 0;   ///< the command whose answers come now
  std::size_t good_ = 0; ///< commands that succeeded, from the first
  std::vector<rows> rows_;
  std::optional<error> failure_; ///< the first
  error loss_;
  bool unsent_ = false;
};

/// Fails with invalid_input: PostgreSQL's texts hold no zero bytes.
[[nodiscard]] result<void> check_text(std::span<const statement> statements);

} // namespace jessica::storage
