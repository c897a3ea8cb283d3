#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/problem.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace jessica::wire {
namespace {

/// What the body says; empty details and hint are null.
struct rest_error {
  int status = 500;
  std::string_view code;
  std::string_view message;
  std::string_view details = {};
  std::string_view hint = {};
};

struct status_of {
  std::string_view key;
  int status = 500;
};

/// Our own codes; any other PGRST code is 400.
constexpr auto by_pgrst_code = std::to_array<status_of>({
    {"PGRST000", 503}, {"PGRST001", 503}, {"PGRST002", 503}, {"PGRST003", 504},
    {"PGRST101", 405}, {"PGRST103", 416}, {"PGRST105", 405}, {"PGRST106", 406},
    {"PGRST107", 406}, {"PGRST111", 500}, {"PGRST112", 500}, {"PGRST116", 406},
    {"PGRST117", 405}, {"PGRST121", 500}, {"PGRST125", 404}, {"PGRST126", 404},
    {"PGRST201", 300}, {"PGRST202", 404}, {"PGRST203", 300}, {"PGRST205", 404},
    {"PGRST300", 500}, {"PGRST301", 401}, {"PGRST302", 401}, {"PGRST303", 401},
    {"PGRSTX00", 500},
});

constexpr auto by_sqlstate = std::to_array<status_of>({
    {"23503", 409},
    {"23505", 409},
    {"25006", 405},
    {"42883", 404},
    {"42P01", 404},
    {"42P17", 500},
    {"53400", 500},
    {"57P01", 503},
    {"P0001", 400},
});

constexpr auto by_class = std::to_array<status_of>({
    {"08", 503}, {"53", 503}, {"0L", 403}, {"0P", 403}, {"28", 403},
    {"09", 500}, {"25", 500}, {"2D", 500}, {"38", 500}, {"39", 500},
    {"3B", 500}, {"40", 500}, {"54", 500}, {"55", 500}, {"57", 500},
    {"58", 500}, {"F0", 500}, {"HV", 500}, {"P0", 500}, {"XX", 500},
});

template <class Table>
[[nodiscard]] std::optional<int> look_up(const Table& table, std::string_view key) {
  const auto* found = std::ranges::find(table, key, &status_of::key);
  return found == table.end() ? std::nullopt : std::optional{found->status};
}

/// PTnnn: a function that raises its own HTTP status.
[[nodiscard]] std::optional<int> raised_status(std::string_view sqlstate) {
  if (sqlstate.size() != 5 || !sqlstate.starts_with("PT"))
    return std::nullopt;
  auto status = 0;
  const auto end = sqlstate.data() + sqlstate.size();
  const auto read = std::from_chars(sqlstate.data() + 2, end, status);
  // A final status: below 200 the client would wait for another.
  if (read.ptr != end || status < 200 || status > 599)
    return std::nullopt;
  return status;
}

[[nodiscard]] int sql_status(const sql_fault& fault, bool signed_in) {
  const auto state = std::string_view{fault.sqlstate};
  if (state.starts_with("PGRST"))
    return look_up(by_pgrst_code, state).value_or(400);
  if (state == "42501")
    return signed_in ? 403 : 401;
  if (state == "21000")
    return fault.message.ends_with("requires a WHERE clause") ? 400 : 500;
  if (state == "22023" && fault.message.starts_with("role ") &&
      fault.message.ends_with("does not exist"))
    return 401;
  if (const auto status = raised_status(state))
    return *status;
  if (const auto status = look_up(by_sqlstate, state))
    return *status;
  return look_up(by_class, state.substr(0, 2)).value_or(400);
}

[[nodiscard]] problem write(const rest_error& what) {
  const auto put = [](object_writer& to, std::string_view key, std::string_view value) {
    value.empty() ? to.json(key, "null") : to.text(key, value);
  };
  constexpr auto listed = std::string_view{"PGRST201"}; // its details are JSON
  auto body = object_writer{128 + what.message.size()};
  body.text("code", what.code);
  if (what.code == listed && !what.details.empty())
    body.json("details", what.details);
  else
    put(body, "details", what.details);
  put(body, "hint", what.hint);
  body.text("message", what.message);
  return {what.status, body.done(), {}};
}

/// False: one is no text.
[[nodiscard]] bool add_raised_headers(problem& to, const boost::json::object& headers) {
  for (const auto& member : headers) {
    if (!member.value().is_string())
      return false;
    to.headers.emplace_back(member.key(), member.value().get_string());
  }
  return true;
}

/// RAISE with SQLSTATE PGRST: the message is the body, the detail says the status and
/// headers.
[[nodiscard]] problem raised_problem(const sql_fault& fault) {
  const auto broken = rest_error{
      500, "PGRST121", "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"};
  const auto body = parse_object(fault.message);
  const auto detail = parse_object(fault.detail);
  if (!body || !detail)
    return write(broken);
  const auto fields = json_reader{*body};
  const auto code = fields.required_text("code");
  const auto message = fields.required_text("message");
  const auto details = fields.text("details");
  const auto hint = fields.text("hint");
  const auto status = json_reader{*detail}.integer("status");
  const auto headers = json_reader{*detail}.object("headers");
  if (!code || !message || !details || !hint || !status || !*status || **status < 200 ||
      **status > 599 || !headers)
    return write(broken);
  auto made = write({static_cast<int>(**status), *code, *message, details->value_or(""),
                     hint->value_or("")});
  if (*headers != nullptr && !add_raised_headers(made, **headers))
    return write(broken);
  return made;
}

[[nodiscard]] problem sql_problem(const sql_fault& fault, bool signed_in) {
  if (fault.sqlstate == "PGRST")
    return raised_problem(fault);
  auto made = write({sql_status(fault, signed_in), fault.sqlstate, fault.message,
                     fault.detail, fault.hint});
  if (made.status == 401)
    made.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (made.status == 503)
    add_retry_after(made, errc::unavailable);
  return made;
}

[[nodiscard]] problem token_problem(const error& what) {
  const auto undecoded = what.reason == "malformed" || what.reason == "signature";
  const auto foreign = what.reason == "signature";
  const auto message = what.reason == "expired" ? std::string_view{"JWT expired"}
                       : foreign ? std::string_view{"No suitable key or wrong key type"}
                                 : std::string_view{what.what};
  const auto details = foreign ? "None of the keys was able to decode the JWT" : "";
  auto made = write({401, undecoded ? "PGRST301" : "PGRST303", message, details});
  made.headers.emplace_back("WWW-Authenticate",
                            std::string{R"(Bearer error="invalid_token", )"}
                                .append("error_description=\"")
                                .append(message)
                                .append("\""));
  return made;
}

[[nodiscard]] rest_error by_code(const error& what, bool signed_in) {
  switch (what.code) {
  case errc::invalid_input:
    return {400, "PGRST100", shown(what, "Bad request")};
  case errc::unauthenticated:
    return {401, "PGRST302", "Anonymous access is disabled"};
  case errc::forbidden:
    return {signed_in ? 403 : 401, "42501", "permission denied"};
  case errc::not_found:
    return {404, "PGRST125", "Invalid path specified in request URL"};
  case errc::conflict:
    return {409, "23505", shown(what, "Conflict")};
  case errc::too_large:
    return {413, "too_large", shown(what, "Request body is too large")};
  case errc::overloaded:
    return {503, "overloaded", "Too many requests are waiting"};
  case errc::unavailable:
    return {503, "PGRST000", "Database connection error. Retrying the connection."};
  case errc::timeout:
    return {504, "PGRST003", "Timed out waiting for the database"};
  case errc::internal:
    break;
  }
  return {500, "PGRSTX00", "Internal error"};
}

} // namespace

problem rest_problem(const error& what, bool signed_in) {
  if (what.sql && !what.sql->sqlstate.empty())
    return sql_problem(*what.sql, signed_in);
  if (what.reason == "no_api_key")
    return {401, R"({"message":"No API key found in request"})", {}};
  if (what.reason == "api_key")
    return {401, R"({"message":"Invalid API key"})", {}};
  if (is_token_fault(what))
    return token_problem(what);
  auto made = problem{};
  if (what.reason.starts_with("PGRST"))
    made = write(
        {look_up(by_pgrst_code, what.reason).value_or(400), what.reason, what.what});
  else if (what.reason == "bad_json")
    made = write({400, "PGRST102", "Empty or invalid json"});
  else if (what.reason == "method_not_allowed")
    made = write({405, "PGRST117", "Unsupported HTTP method"});
  else
    made = write(by_code(what, signed_in));
  if (made.status == 401)
    made.headers.emplace_back("WWW-Authenticate", "Bearer");
  add_retry_after(made, what.code);
  return made;
}

} // namespace jessica::wire
