#include "storage/wal_login.hpp"

#include "storage/wal_session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cstddef>
#include <format>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

// Checked before use, because libpq's complaint would repeat the password.
bool well_formed(const std::string& conninfo) {
  auto* complaint = static_cast<char*>(nullptr);
  auto* const options = PQconninfoParse(conninfo.c_str(), &complaint);
  PQfreemem(complaint);
  PQconninfoFree(options);
  return options != nullptr;
}

// libpq gives a refused login no SQLSTATE, but a verbose text has it, in any language:
// "SEVERITY:  STATE: message".
std::string_view state_in(std::string_view text) {
  constexpr auto length = std::size_t{5};
  const auto of_state = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  };
  for (auto at = text.find(":  "); at != std::string_view::npos;
       at = text.find(":  ", at + 1)) {
    const auto state = text.substr(at + 3, length);
    if (state.size() == length && std::ranges::all_of(state, of_state) &&
        text.substr(at + 3 + length).starts_with(": ")) {
      return state;
    }
  }
  return {};
}

error refused(const PGconn* open) {
  const auto text = std::string_view{PQerrorMessage(open)};
  const auto state = state_in(text);
  if (state.empty()) {
    return connection_lost(open);
  }
  const auto begin = static_cast<std::size_t>(state.data() - text.data()) + 2;
  const auto message = text.substr(begin + state.size());
  const auto code = code_of(state);
  return error{code == errc::forbidden || code == errc::overloaded ? code
                                                                   : errc::unavailable,
               std::format("{} ({})", message.substr(0, message.find('\n')), state),
               {},
               {}};
}

result<session> begin_login(const endpoint& where) {
  if (!well_formed(where.conninfo)) {
    return fail(errc::invalid_input, "the database's connection string is not valid");
  }
  const auto user = std::string{role::feed};
  const auto wait = std::to_string(where.connect_timeout.count()); // for a cancel
  // Later entries win over what the connection string says.
  auto names = std::vector<const char*>{
      "dbname",           "replication",     "connect_timeout",     "client_encoding",
      "application_name", "keepalives_idle", "keepalives_interval", "keepalives_count",
      "tcp_user_timeout"};
  auto values = std::vector<const char*>{where.conninfo.c_str(),
                                         "database",
                                         wait.c_str(),
                                         "UTF8",
                                         "jessica_feed",
                                         "10",
                                         "5",
                                         "3",
                                         "20000"};
  if (!where.switch_role) {
    names.push_back("user");
    values.push_back(user.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  auto open = session{PQconnectStartParams(names.data(), values.data(), 1)};
  if (open == nullptr) {
    return fail(errc::unavailable, "out of memory while connecting to PostgreSQL");
  }
  PQsetErrorVerbosity(open.get(), PQERRORS_VERBOSE);
  return open;
}

result<void> finish_login(PGconn* open, wait_clock::time_point until) {
  auto step = PGRES_POLLING_WRITING;
  while (PQstatus(open) != CONNECTION_BAD) {
    const auto ready = wait_for_socket(open, step == PGRES_POLLING_WRITING, until);
    if (!ready) {
      return std::unexpected{ready.error()};
    }
    if (!*ready) {
      return fail(errc::unavailable, "PostgreSQL does not answer a login");
    }
    step = PQconnectPoll(open);
    if (step == PGRES_POLLING_OK) {
      PQsetErrorVerbosity(open, PQERRORS_DEFAULT);
      return {};
    }
    if (step == PGRES_POLLING_FAILED) {
      break;
    }
  }
  return std::unexpected{refused(open)};
}

} // namespace

result<session> log_in_to_replicate(const endpoint& where) {
  auto open = begin_login(where);
  if (!open) {
    return open;
  }
  const auto until = wait_clock::now() + where.connect_timeout;
  if (auto up = finish_login(open->get(), until); !up) {
    return std::unexpected{std::move(up.error())};
  }
  PQsetNoticeReceiver(open->get(), [](void*, const PGresult*) {}, nullptr);
  if (PQsetnonblocking(open->get(), 1) != 0) {
    return std::unexpected{connection_lost(open->get())};
  }
  return open;
}

} // namespace jessica::storage
