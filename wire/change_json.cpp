#include "wire/change_json.hpp"

#include "wire/json_writer.hpp"
#include "wire/pg_json.hpp"

#include <algorithm>
#include <chrono>
#include <format>
#include <limits>
#include <string_view>

namespace jessica::wire {
namespace {

constexpr auto no_limit = std::numeric_limits<std::size_t>::max();
constexpr auto small_value_bytes = std::size_t{64};
constexpr auto column_bytes = std::size_t{48}; // a guess, to allocate once

constexpr auto no_errors = std::string_view{R"(,"errors":null})"};
constexpr auto unauthorized =
    std::string_view{R"(,"errors":["Error 401: Unauthorized"]})"};
constexpr auto no_key =
    std::string_view{R"(,"errors":["Error 400: Bad Request, no primary key"]})"};
constexpr auto too_large =
    std::string_view{R"(,"errors":["Error 413: Payload Too Large"]})"};

struct size_limits {
  std::size_t value_bytes; ///< of PostgreSQL's text; larger values are left out
  std::size_t total_bytes; ///< of the JSON, the errors after it included
};

[[nodiscard]] std::string_view name(change_type type) noexcept {
  switch (type) {
  case change_type::insert:
    return "INSERT";
  case change_type::update:
    return "UPDATE";
  case change_type::remove:
    return "DELETE";
  }
  return "";
}

[[nodiscard]] bool is_shown(const shown_columns& shown, std::size_t column) {
  return column < shown.size() && shown[column];
}

[[nodiscard]] bool has_key(const row_change_view& what) {
  return std::ranges::any_of(what.columns, &change_column::key);
}

[[nodiscard]] bool hides_key(const row_change_view& what, const shown_columns& shown) {
  for (auto i = std::size_t{0}; i < what.columns.size(); ++i)
    if (what.columns[i].key && !is_shown(shown, i))
      return true;
  return false;
}

/// Up to the type, the object left open.
[[nodiscard]] std::string open_change(const row_change_view& what) {
  auto out = std::string{R"({"schema":)"};
  append_quoted(out, what.schema);
  out += R"(,"table":)";
  append_quoted(out, what.table);
  const auto when = std::chrono::floor<std::chrono::milliseconds>(what.committed);
  out += std::format(R"(,"commit_timestamp":"{:%FT%T}Z","type":"{}")", when,
                     name(what.type));
  return out;
}

void append_columns(std::string& to, const row_change_view& what,
                    const shown_columns& shown) {
  to += R"(,"columns":[)";
  auto separator = std::string_view{};
  for (auto i = std::size_t{0}; i < what.columns.size(); ++i) {
    if (!is_shown(shown, i))
      continue;
    to += separator;
    to += R"({"name":)";
    append_quoted(to, what.columns[i].name);
    to += R"(,"type":)";
    append_quoted(to, what.columns[i].type);
    to += '}';
    separator = ",";
  }
  to += ']';
}

/// The shown and known fields of a row as an object; false once it passes the limit.
[[nodiscard]] bool append_row(std::string& to, std::span<const change_column> columns,
                              std::span<const change_cell> cells,
                              const shown_columns& shown, const size_limits& limits) {
  to += '{';
  auto separator = std::string_view{};
  for (auto i = std::size_t{0}; i < std::min(columns.size(), cells.size()); ++i) {
    const auto& cell = cells[i];
    const auto known = cell.what != change_cell::kind::unknown;
    if (!known || !is_shown(shown, i) || cell.text.size() > limits.value_bytes)
      continue;
    if (cell.text.size() > limits.total_bytes) // nor is it worth printing
      return false;
    to += separator;
    append_quoted(to, columns[i].name);
    to += ':';
    if (cell.what == change_cell::kind::null)
      to += "null";
    else
      append_json_value(to, columns[i].type, cell.text);
    if (to.size() > limits.total_bytes)
      return false;
    separator = ",";
  }
  to += '}';
  return true;
}

[[nodiscard]] bool append_rows(std::string& to, const row_change_view& what,
                               const shown_columns& shown, const size_limits& limits) {
  if (what.type != change_type::remove) {
    to += R"(,"record":)";
    if (!append_row(to, what.columns, what.record, shown, limits))
      return false;
  }
  if (what.type != change_type::insert) {
    to += R"(,"old_record":)";
    if (!append_row(to, what.columns, what.old, shown, limits))
      return false;
  }
  return to.size() <= limits.total_bytes - no_errors.size();
}

} // namespace

std::string change_json(const row_change_view& what, const shown_columns& shown,
                        std::size_t max_bytes) {
  auto out = open_change(what);
  if (what.type != change_type::remove && !has_key(what))
    return out.append(no_key);
  if (hides_key(what, shown))
    return out.append(unauthorized);
  out.reserve(out.size() + what.columns.size() * column_bytes);
  append_columns(out, what, shown);
  const auto rows = out.size();
  const auto whole = size_limits{no_limit, std::max(max_bytes, no_errors.size())};
  if (append_rows(out, what, shown, whole))
    return out.append(no_errors);
  out.resize(rows);
  const auto reduced = size_limits{small_value_bytes, no_limit};
  static_cast<void>(append_rows(out, what, shown, reduced));
  return out.append(too_large);
}

} // namespace jessica::wire
