// Feeds the reader of REST URLs whatever libFuzzer thinks of: up to the first line
// break a query, behind it a Prefer header. What becomes SQL must keep its promises.
#include "domain/utf8.hpp"
#include "wire/rest_query.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace jessica;

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

/// PostgreSQL can store it: UTF-8 without a zero byte.
bool storable(std::string_view text) {
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (!next.valid || next.value == 0) {
      return false;
    }
    text.remove_prefix(next.size);
  }
  return true;
}

bool is_type_name(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
  });
}

void check(const column_filter& filter) {
  demand(!filter.column.empty() && storable(filter.column));
  demand(filter.op == comparison::in || filter.values.size() == 1);
  if (filter.op == comparison::is) {
    const auto& truth = filter.values.front();
    demand(truth == "null" || truth == "not_null" || truth == "true" ||
           truth == "false" || truth == "unknown");
  }
}

void check(const table_query& query) {
  demand(query.schema == "public" && query.table == "messages");
  demand(!query.limit || *query.limit >= 0);
  demand(query.offset >= 0);
  for (const auto& one : query.columns) {
    demand(!one.column.empty() && storable(one.column) && storable(one.alias));
    demand(
        is_type_name(one.cast)); // the only text of a client that is spliced into SQL
  }
  for (const auto& one : query.filters) {
    check(one);
  }
  for (const auto& one : query.order) {
    demand(!one.column.empty() && storable(one.column));
  }
  for (const auto rows : {std::int64_t{0}, std::int64_t{1}}) {
    demand(wire::content_range(query, {"[]", rows, rows}).contains('/'));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  const auto line = std::min(input.find('\n'), size);
  const auto prefer = input.substr(std::min(line + 1, size));
  const auto parameters = wire::decode_query(input.substr(0, line));
  if (!parameters) {
    demand(parameters.error().code == errc::invalid_input);
    return 0;
  }
  for (const auto& [key, value] : *parameters) {
    demand(storable(key) && storable(value));
  }
  const auto query = wire::read_table_query("messages", *parameters, prefer);
  if (query) {
    check(*query);
  } else {
    demand(query.error().code == errc::invalid_input && !query.error().what.empty() &&
           query.error().reason.starts_with("PGRST"));
  }
  return 0;
}
