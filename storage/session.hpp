// One libpq session: how we log in, and what PostgreSQL's complaints mean to us.
// Private to this room and its tests; no libpq type is spelled out, so includers need
// no libpq.
#pragma once

#include "domain/error.hpp"
#include "storage/connection.hpp"
#include "storage/endpoint.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

struct pg_conn;
struct pg_result;

namespace jessica::storage {

struct close_session {
  void operator()(pg_conn* open) const noexcept;
};
using session = std::unique_ptr<pg_conn, close_session>;

struct clear_answer {
  void operator()(pg_result* got) const noexcept;
};
using answer = std::unique_ptr<pg_result, clear_answer>;

/// Logs in as `role` (empty: as the conninfo says), or logs in as the conninfo says and
/// takes `role` and its time limits when `where.switch_role` is set. Notices of the
/// server are dropped. Fails: unavailable; invalid_input (a broken connection string);
/// forbidden (the role cannot be taken).
[[nodiscard]] result<session> open_session(const endpoint& where,
                                           std::string_view role);

/// Runs one statement, or (without parameters) a script of several; the rows of the
/// last one. Waits as long as the server works.
[[nodiscard]] result<rows> execute(pg_conn* open, const std::string& sql,
                                   std::span<const parameter> parameters = {});

/// What a caller can do about an SQLSTATE; the table stands at connection::run.
[[nodiscard]] errc code_of(std::string_view sqlstate) noexcept;

/// The error an answer carries, `sql` filled; unavailable when the session is lost.
[[nodiscard]] error error_of(const pg_conn* open, const pg_result* got);

/// libpq's last message about a session, in one line.
[[nodiscard]] std::string message_of(const pg_conn* open);

} // namespace jessica::storage
