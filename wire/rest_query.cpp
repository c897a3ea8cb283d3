#include "wire/rest_query.hpp"

#include "domain/utf8.hpp"
#include "wire/rest_grammar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace {

[[nodiscard]] int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// Text PostgreSQL can store: UTF-8 without a zero byte.
[[nodiscard]] bool is_storable(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (!next.valid || next.value == 0)
      return false;
    text.remove_prefix(next.size);
  }
  return true;
}

[[nodiscard]] result<std::string> decode_part(std::string_view part) {
  auto decoded = std::string{};
  decoded.reserve(part.size());
  for (auto i = std::size_t{0}; i < part.size(); ++i) {
    if (part[i] != '%') {
      decoded += part[i] == '+' ? ' ' : part[i];
      continue;
    }
    const auto high = i + 1 < part.size() ? hex_value(part[i + 1]) : -1;
    const auto low = i + 2 < part.size() ? hex_value(part[i + 2]) : -1;
    if (high < 0 || low < 0)
      return fail(errc::invalid_input, "broken percent escape in the query");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_storable(decoded))
    return fail(errc::invalid_input, "the query is not UTF-8 text");
  return decoded;
}

/// Nothing for what is no number; numbers beyond 64 bits count as the largest.
[[nodiscard]] std::optional<std::int64_t> read_integer(std::string_view text) {
  auto value = std::int64_t{0};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ptr != end || read.ec == std::errc::invalid_argument)
    return std::nullopt;
  if (read.ec == std::errc::result_out_of_range)
    return text.starts_with('-') ? std::numeric_limits<std::int64_t>::min()
                                 : std::numeric_limits<std::int64_t>::max();
  return value;
}

/// `limit` or `offset`. Not a number: as if it were absent.
[[nodiscard]] result<std::optional<std::int64_t>> read_window(std::string_view text) {
  const auto value = read_integer(text);
  if (value && *value < 0)
    return fail(errc::invalid_input, "Requested range not satisfiable", "PGRST103");
  return value;
}

/// An exact count is also what `planned` and `estimated` get: it is the better answer.
[[nodiscard]] row_count read_count(std::string_view prefer) {
  static constexpr auto counts = std::array<std::string_view, 3>{
      "count=exact", "count=planned", "count=estimated"};
  while (!prefer.empty()) {
    const auto comma = std::min(prefer.find(','), prefer.size());
    auto item = prefer.substr(0, comma);
    prefer.remove_prefix(std::min(comma + 1, prefer.size()));
    const auto first = item.find_first_not_of(" \t");
    if (first == std::string_view::npos)
      continue;
    item = item.substr(first, item.find_last_not_of(" \t") - first + 1);
    if (std::ranges::contains(counts, item))
      return row_count::exact;
  }
  return row_count::none;
}

/// Puts one parameter where it belongs in the query.
[[nodiscard]] result<void> add_parameter(table_query& query, std::string_view key,
                                         std::string_view value) {
  static constexpr auto trees =
      std::array<std::string_view, 4>{"or", "and", "not.or", "not.and"};
  const auto into = [](auto read, auto& target) -> result<void> {
    if (!read)
      return std::unexpected{std::move(read.error())};
    target = std::move(*read);
    return {};
  };
  if (key == "select")
    return into(read_select(query.table, value), query.columns);
  if (key == "order")
    return into(read_order(value), query.order);
  if (key == "limit")
    return into(read_window(value), query.limit);
  if (key == "offset") {
    const auto offset = read_window(value);
    return into(offset.transform([](auto rows) { return rows.value_or(0); }),
                query.offset);
  }
  if (key == "columns" || key == "on_conflict")
    return {}; // of writes; without meaning here
  if (std::ranges::contains(trees, key))
    return fail(errc::invalid_input,
                "Logic trees (or, and) are not supported by this server", "PGRST100");
  auto filter = read_filter(key, value);
  if (!filter)
    return std::unexpected{std::move(filter.error())};
  query.filters.push_back(std::move(*filter));
  return {};
}

} // namespace

result<query_parameters> decode_query(std::string_view query) {
  auto parameters = query_parameters{};
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty())
      continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto key = decode_part(pair.substr(0, equals));
    if (!key)
      return std::unexpected{std::move(key.error())};
    auto value = decode_part(pair.substr(std::min(equals + 1, pair.size())));
    if (!value)
      return std::unexpected{std::move(value.error())};
    parameters.emplace_back(std::move(*key), std::move(*value));
  }
  return parameters;
}

result<table_query> read_table_query(std::string_view table,
                                     const query_parameters& parameters,
                                     std::string_view prefer) {
  auto query = table_query{};
  query.table = table;
  query.count = read_count(prefer);
  for (const auto& [key, value] : parameters)
    if (auto added = add_parameter(query, key, value); !added)
      return std::unexpected{std::move(added.error())};
  return query;
}

std::string content_range(const table_query& asked, const table_page& page) {
  auto range = std::string{"*"};
  if (page.rows > 0)
    range = std::to_string(asked.offset) + "-" +
            std::to_string(asked.offset + (page.rows - 1));
  return range + "/" + (page.total ? std::to_string(*page.total) : "*");
}

} // namespace jessica::wire
