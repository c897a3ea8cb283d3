#include "storage/session.hpp"

#include <libpq-fe.h>

#include <array>
#include <chrono>
#include <cstring>
#include <format>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

void drop_notice(void*, const PGresult*) {}

std::string text_of(const char* text) {
  return text != nullptr ? std::string{text} : std::string{};
}

// A role's own settings come with a login, not with SET ROLE: take its time limits.
constexpr auto adopt_limits = std::string_view{R"(
select set_config(split_part(s, '=', 1), split_part(s, '=', 2), false)
from pg_roles r, unnest(r.rolconfig) s
where r.rolname = $1 and split_part(s, '=', 1) in
  ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'))"};

// Of a server that is not ours: our batches forbid some ways of reading, so that their
// plans look dearer than they are, dear enough to be compiled each time.
constexpr auto no_compiling = std::string_view{"set jit = off"};

result<void> take_role(PGconn* open, std::string_view role) {
  auto* const quoted = PQescapeIdentifier(open, role.data(), role.size());
  if (quoted == nullptr) {
    return fail(errc::invalid_input, "the name of a role is not valid text");
  }
  const auto sql = std::format("set role {}", quoted);
  PQfreemem(quoted);
  if (auto taken = execute(open, sql); !taken) {
    auto why = std::move(taken.error());
    const auto refused = why.code == errc::invalid_input; // no such role
    why.code = refused ? errc::forbidden : why.code;
    return std::unexpected{std::move(why)};
  }
  const auto name = std::array{parameter{role}};
  return execute(open, std::string{adopt_limits}, name).transform([](auto&&) {});
}

// Checked before use, because libpq's complaint would repeat the string, and with it
// the password, into our log.
bool well_formed(const std::string& conninfo) {
  auto* complaint = static_cast<char*>(nullptr);
  auto* const options = PQconninfoParse(conninfo.c_str(), &complaint);
  PQfreemem(complaint);
  PQconninfoFree(options);
  return options != nullptr;
}

} // namespace

void close_session::operator()(pg_conn* open) const noexcept {
  PQfinish(open);
}
void clear_answer::operator()(pg_result* got) const noexcept {
  PQclear(got);
}

std::string message_of(const pg_conn* open) {
  auto text = text_of(PQerrorMessage(open));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  for (auto& c : text) {
    c = c == '\n' || c == '\t' ? ' ' : c;
  }
  return text;
}

result<session> open_session(const endpoint& where, std::string_view role) {
  if (!well_formed(where.conninfo)) {
    return fail(errc::invalid_input, "the database's connection string is not valid");
  }
  const auto user = std::string{where.switch_role ? std::string_view{} : role};
  const auto wait = std::to_string(where.connect_timeout.count());
  // Later entries win over what the connection string says. The TCP settings notice a
  // server that vanished without closing; a Unix socket ignores them.
  auto names = std::vector<const char*>{
      "dbname",          "connect_timeout",     "client_encoding",  "application_name",
      "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"};
  auto values = std::vector<const char*>{
      where.conninfo.c_str(), wait.c_str(), "UTF8", "jessica", "10", "5", "3", "20000"};
  if (!user.empty()) {
    names.push_back("user");
    values.push_back(user.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);

  auto open = session{PQconnectdbParams(names.data(), values.data(), 1)};
  if (open == nullptr) {
    return fail(errc::unavailable, "out of memory while connecting to PostgreSQL");
  }
  if (PQstatus(open.get()) != CONNECTION_OK) {
    return fail(errc::unavailable, message_of(open.get()));
  }
  PQsetNoticeReceiver(open.get(), drop_notice, nullptr);
  if (where.switch_role && !role.empty()) {
    if (auto taken = take_role(open.get(), role); !taken) {
      return std::unexpected{std::move(taken.error())};
    }
  }
  if (auto set = execute(open.get(), std::string{no_compiling}); !set) {
    return std::unexpected{std::move(set.error())};
  }
  return open;
}

result<rows> execute(pg_conn* open, const std::string& sql,
                     std::span<const parameter> parameters) {
  auto values = std::vector<const char*>{};
  values.reserve(parameters.size());
  for (const auto& value : parameters) {
    values.push_back(value ? value->c_str() : nullptr);
  }
  auto got =
      answer{parameters.empty()
                 ? PQexec(open, sql.c_str())
                 : PQexecParams(open, sql.c_str(), static_cast<int>(values.size()),
                                nullptr, values.data(), nullptr, nullptr, 0)};
  const auto status = PQresultStatus(got.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    return std::unexpected{error_of(open, got.get())};
  }
  return rows{got.release()};
}

errc code_of(std::string_view sqlstate) noexcept {
  const auto of_class = [&](std::string_view prefix) {
    return sqlstate.starts_with(prefix);
  };
  if (sqlstate == "42501" || of_class("28")) {
    return errc::forbidden;
  }
  if (sqlstate == "23505") {
    return errc::conflict;
  }
  if (sqlstate == "57014") {
    return errc::timeout;
  }
  if (of_class("22") || of_class("23") || of_class("42")) {
    return errc::invalid_input;
  }
  if (of_class("53") || sqlstate == "55P03") { // 55P03: somebody holds a lock
    return errc::overloaded;
  }
  // 40: deadlock or serialization failure. 25006: a standby that was not promoted yet.
  if (of_class("08") || of_class("57P") || of_class("40") || sqlstate == "25006") {
    return errc::unavailable;
  }
  return errc::internal;
}

error error_of(const pg_conn* open, const pg_result* got) {
  const auto field = [&](int which) { return text_of(PQresultErrorField(got, which)); };
  const auto state = field(PG_DIAG_SQLSTATE);
  if (state.empty()) {
    const auto lost = PQstatus(open) != CONNECTION_OK;
    return error{lost ? errc::unavailable : errc::internal, message_of(open), {}, {}};
  }
  auto fault = sql_fault{state, field(PG_DIAG_MESSAGE_PRIMARY),
                         field(PG_DIAG_MESSAGE_DETAIL), field(PG_DIAG_MESSAGE_HINT)};
  auto what = std::format("{} ({})", fault.message, state);
  return error{code_of(state),
               std::move(what),
               {},
               std::make_shared<const sql_fault>(std::move(fault))};
}

} // namespace jessica::storage
