// One PostgreSQL connection on libpq: statements of one transaction travel in a single
// round trip (pipeline mode), prepared once a connection. The hot paths use this.
#pragma once

#include "domain/error.hpp"
#include "storage/endpoint.hpp"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// A parameter in text form; nullopt is SQL NULL.
using parameter = std::optional<std::string>;

struct statement {
  std::string sql; ///< with $1.. placeholders; prepared once by its text
  std::vector<parameter> parameters;
};

/// The rows of one statement, owned.
class rows {
public:
  rows() = default;
  /// Takes a libpq PGresult* (void so that this header needs no libpq).
  explicit rows(void* pg_result);

  [[nodiscard]] int size() const noexcept;
  [[nodiscard]] bool null(int row, int column) const noexcept;
  /// Text form; valid as long as this object.
  [[nodiscard]] std::string_view text(int row, int column) const noexcept;
  [[nodiscard]] std::int64_t integer(int row, int column) const noexcept;
  /// Rows changed by an insert, update or delete.
  [[nodiscard]] std::int64_t affected() const noexcept;

private:
  std::shared_ptr<void> result_;
};

/// A PostgreSQL array literal of texts, nulls kept: for `$1::text[]` parameters.
[[nodiscard]] std::string array_literal(std::span<const parameter> items);

/// Does a commit wait for the disk? `lazy` may lose the last second's commits when the
/// database's machine or process dies: for what is repeated anyway.
enum class commits : std::uint8_t { durable, lazy };

/// Blocking; one thread at a time. Reconnects by itself at the next call after the
/// server went away (a call that was under way fails with unavailable and is not
/// repeated: it may have committed).
class connection {
public:
  connection(endpoint where, std::string_view role, commits how = commits::durable);
  ~connection();
  connection(connection&&) noexcept;
  connection& operator=(connection&&) noexcept;

  /// Runs all statements as one transaction in one round trip and commits; one rows
  /// object each. On a failure everything is rolled back and the first error returned:
  /// forbidden (42501, 28*), conflict (23505), invalid_input (22*, 23*, 42*),
  /// overloaded (53*), timeout (57014), unavailable (08*, 57P*, 40*: nothing was
  /// stored; lost connection: unknown); `sql` is filled. Silence for 30 s is a timeout,
  /// and the connection is dropped.
  [[nodiscard]] result<std::vector<rows>> run(std::span<const statement> statements);
  [[nodiscard]] result<rows> run(const statement& one);

  /// run(), but what the statements gave decides: `judge` says whether to commit (true)
  /// or to roll back and still return the rows (false), or fails: then all is rolled
  /// back and its error returned. Two round trips.
  [[nodiscard]] result<std::vector<rows>>
  run_judged(std::span<const statement> statements,
             const std::function<result<bool>(const std::vector<rows>&)>& judge);

  /// Statements are prepared anew from here on: the types of their parameters are those
  /// of the schema as it was. Costs nothing now.
  void forget_prepared();

  /// Connects now if not connected. Fails: unavailable; invalid_input (a broken
  /// connection string); forbidden (the role cannot be taken).
  [[nodiscard]] result<void> ensure();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace jessica::storage
