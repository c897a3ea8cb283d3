// A connection that carries out one REST request after another without ever waiting:
// each is one transaction, which begins with role, claims and settings.
#pragma once

#include "domain/error.hpp"
#include "domain/rest.hpp"
#include "storage/connection.hpp"
#include "storage/endpoint.hpp"
#include "storage/rest_schema.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace jessica::storage {

struct rest_limits {
  std::int64_t max_rows = 1000; ///< of one answer, and of each embedded list
  /// Of a statement, for roles without a limit of their own.
  std::chrono::milliseconds statement_timeout{8000};
};

/// One thread at a time. Between start() and an answer of go_on() one request is under
/// way; there is never a second one.
class rest_line {
public:
  using outcome = result<rest_reply>;
  using request = std::shared_ptr<const rest_request>;

  virtual ~rest_line() = default;

  /// Begins to carry `what` out as `what->who`; row security, grants and limits of the
  /// role hold. nullopt: it is under way. An answer at once: it failed, with the codes
  /// of build_statement() or unavailable.
  /// What is committed lazily is durable once settle() has said so.
  [[nodiscard]] virtual std::optional<outcome>
  start(request what, schema_snapshot schema, commits how) = 0;
  /// Begins to wait until all that any session has committed by now is durable.
  /// Answered like a request, with an empty reply.
  [[nodiscard]] virtual std::optional<outcome> settle() = 0;
  /// Goes on as far as it can without waiting; call it when the socket is ready.
  /// nullopt: not over. Nothing is stored when it failed, with `sql` filled as
  /// PostgreSQL said, or with PostgREST's codes PGRST116, PGRST122, PGRST124. Without a
  /// request under way it takes notice of an end of the session.
  [[nodiscard]] virtual std::optional<outcome> go_on() = 0;

  /// The session has ended: there will be no answers any more.
  [[nodiscard]] virtual bool lost() const noexcept = 0;
  /// Did the session end while nothing was under way?
  [[nodiscard]] virtual bool gone() const = 0;
  /// Wait also until the socket can be written.
  [[nodiscard]] virtual bool unsent() const noexcept = 0;
  [[nodiscard]] virtual int socket() const noexcept = 0;
  /// Ends the statement under way at the moment it is called, which blocks and may
  /// happen on any thread: the request fails with timeout, 57014. Until it has returned
  /// no other request may be started.
  [[nodiscard]] virtual std::function<void()> stopper() const = 0;
};

/// Logs in, blocking. Fails like connection::ensure().
[[nodiscard]] result<std::unique_ptr<rest_line>> open_rest_line(const endpoint& where,
                                                                rest_limits limits);

/// May the failure come from a schema that has changed since it was read?
[[nodiscard]] bool may_be_outdated(const error& why) noexcept;

} // namespace jessica::storage
