#include "storage/session_wait.hpp"

#include <libpq-fe.h>
#include <poll.h>

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

} // namespace jessica::storage
