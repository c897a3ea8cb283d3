#include "storage/wal_session.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <format>
#include <utility>

namespace jessica::storage {
namespace {

using std::chrono::milliseconds;

// For commands that wait for nobody.
constexpr auto answer_limit = std::chrono::seconds{10};

// The stream hands texts on to clients: they must look the same whatever the database
// or the role sets. The transaction that keeps the exported snapshot is idle while
// another connection reads in it.
constexpr auto pinned = std::string_view{R"(
set datestyle = 'ISO, MDY'; set intervalstyle = 'iso_8601'; set timezone = 'UTC';
set extra_float_digits = 1; set bytea_output = 'hex';
set statement_timeout = 0; set lock_timeout = 0;
set idle_in_transaction_session_timeout = '5min')"};

// The next answer to what was sent; null: there is no more.
result<answer> next_answer(PGconn* open, wait_clock::time_point until) {
  for (;;) {
    const auto unsent = PQflush(open);
    if (unsent < 0) {
      return std::unexpected{connection_lost(open)};
    }
    if (PQisBusy(open) == 0) {
      return answer{PQgetResult(open)};
    }
    const auto ready = wait_for_socket(open, unsent > 0, until);
    if (!ready) {
      return std::unexpected{ready.error()};
    }
    if (!*ready) {
      return fail(errc::timeout, "PostgreSQL does not answer");
    }
    if (PQconsumeInput(open) == 0) {
      return std::unexpected{connection_lost(open)};
    }
  }
}

// Runs one command or script; its last answer, or the first error.
result<answer> command(PGconn* open, const std::string& sql, milliseconds limit) {
  const auto until = wait_clock::now() + limit;
  if (PQsendQuery(open, sql.c_str()) == 0) {
    return std::unexpected{connection_lost(open)};
  }
  auto last = answer{};
  for (;;) {
    auto got = next_answer(open, until);
    if (!got) {
      return got;
    }
    if (*got == nullptr) {
      return last == nullptr ? result<answer>{std::unexpected{connection_lost(open)}}
                             : std::move(last);
    }
    switch (PQresultStatus(got->get())) {
    case PGRES_COPY_BOTH: // the stream has begun: it has no end to wait for
      return got;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
      last = std::move(*got);
      break;
    default:
      return std::unexpected{error_of(open, got->get())};
    }
  }
}

// Closing is not enough: a server that waits for somebody's transaction does not look
// at the socket meanwhile. Waits for connect_timeout at most.
void cancel(PGconn* open) {
  auto* const request = PQcancelCreate(open);
  (void)PQcancelBlocking(request);
  PQcancelFinish(request);
}

std::string in_quotes(std::string_view text, char quote) {
  auto all = std::string{quote};
  for (const auto c : text) {
    all.append(c == quote ? 2 : 1, c);
  }
  return all + quote;
}

} // namespace

error connection_lost(const pg_conn* open) {
  auto what = message_of(open);
  return error{errc::unavailable,
               what.empty() ? "the replication connection was lost" : std::move(what),
               {},
               {}};
}

result<bool> wait_for_socket(const pg_conn* open, bool output,
                             wait_clock::time_point until) {
  for (;;) {
    // Rounded up, so that the last wait does not become a busy one.
    const auto left = std::chrono::ceil<milliseconds>(until - wait_clock::now());
    constexpr auto longest = std::int64_t{60'000};
    const auto wait = std::clamp<std::int64_t>(left.count(), 0, longest);
    const auto events = static_cast<short>(output ? POLLIN | POLLOUT : POLLIN);
    auto socket = pollfd{PQsocket(open), events, 0};
    const auto ready = ::poll(&socket, 1, static_cast<int>(wait));
    if (ready > 0) {
      return true;
    }
    if (ready < 0 && errno != EINTR) {
      return fail(errc::unavailable, "cannot wait for PostgreSQL's socket");
    }
    if (wait_clock::now() >= until) {
      return false;
    }
  }
}

result<void> pin_texts(pg_conn* open) {
  return command(open, std::string{pinned}, answer_limit).transform([](auto&&) {});
}

result<std::optional<milliseconds>> sender_timeout(pg_conn* open) {
  auto got = command(open,
                     "select setting from pg_settings where name = "
                     "'wal_sender_timeout'", // without a unit: milliseconds
                     answer_limit);
  if (!got) {
    return std::unexpected{std::move(got.error())};
  }
  const auto all = rows{got->release()};
  const auto limit = milliseconds{all.size() == 1 ? all.integer(0, 0) : 0};
  return limit > milliseconds{0} ? std::optional{limit} : std::nullopt;
}

result<exported_slot> create_slot(pg_conn* open, const std::string& name,
                                  milliseconds limit) {
  auto got = command(open,
                     std::format("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL "
                                 "pgoutput (SNAPSHOT 'export')",
                                 in_quotes(name, '"')),
                     limit);
  if (!got) {
    auto why = std::move(got.error());
    if (why.code == errc::timeout) {
      cancel(open);
      why.what = "no replication slot: some transaction has been writing for too long";
    }
    if (why.sql && why.sql->sqlstate == "55000") { // wal_level is not logical
      why.code = errc::forbidden;
    }
    return std::unexpected{std::move(why)};
  }
  const auto made = rows{got->release()};
  const auto start = made.size() == 1 ? lsn::parse(made.text(0, 1)) : std::nullopt;
  if (!start) {
    return fail(errc::internal, "PostgreSQL's answer about a slot makes no sense");
  }
  return exported_slot{name, std::string{made.text(0, 2)}, *start};
}

result<void> start_replication(pg_conn* open, std::string_view slot,
                               std::span<const std::string> publications) {
  auto names = std::string{};
  for (const auto& one : publications) {
    names += (names.empty() ? "" : ",") + in_quotes(one, '"');
  }
  return command(open,
                 std::format("START_REPLICATION SLOT {} LOGICAL 0/0 (proto_version "
                             "'1', publication_names {}, messages 'true', binary "
                             "'false')",
                             in_quotes(slot, '"'), in_quotes(names, '\'')),
                 answer_limit)
      .transform([](auto&&) {});
}

error end_of_stream(pg_conn* open) {
  auto got = next_answer(open, wait_clock::now() + std::chrono::seconds{1});
  if (!got) {
    return got.error();
  }
  if (*got != nullptr && PQresultStatus(got->get()) == PGRES_FATAL_ERROR) {
    return error_of(open, got->get());
  }
  return error{errc::unavailable, "PostgreSQL ended the replication stream", {}, {}};
}

} // namespace jessica::storage
