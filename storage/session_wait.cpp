#include "storage/session_wait.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <utility>

namespace jessica::storage {
namespace {

bool readable(const PGconn* open) {
  auto wait = pollfd{PQsocket(open), POLLIN, 0};
  return ::poll(&wait, 1, 0) > 0;
}

} // namespace

error lost(const pg_conn* open) {
  auto what = message_of(open);
  return error{errc::unavailable,
               what.empty() ? "the connection to PostgreSQL was lost" : std::move(what),
               {},
               {}};
}

bool gone_while_idle(pg_conn* open) {
  constexpr auto reads = 4; // a farewell is one message and the end of the stream
  for (auto i = 0; i < reads && PQstatus(open) == CONNECTION_OK && readable(open);
       ++i) {
    if (PQconsumeInput(open) == 0) {
      return true;
    }
    (void)PQisBusy(open); // lets libpq digest what came
  }
  return PQstatus(open) != CONNECTION_OK;
}

result<answer> next_answer(pg_conn* open,
                           std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto unsent = PQflush(open);
    if (unsent < 0) {
      return std::unexpected{lost(open)};
    }
    if (PQisBusy(open) == 0) {
      return answer{PQgetResult(open)};
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return fail(errc::timeout, "PostgreSQL does not answer");
    }
    const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    auto wait = pollfd{PQsocket(open), events, 0};
    const auto ready = ::poll(&wait, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) {
      return fail(errc::unavailable, "cannot wait for PostgreSQL's socket");
    }
    if (ready > 0 && (wait.revents & ~POLLOUT) != 0 && PQconsumeInput(open) == 0) {
      return std::unexpected{lost(open)};
    }
  }
}

} // namespace jessica::storage
