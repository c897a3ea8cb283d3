// Feeds the readers of REST requests whatever libFuzzer thinks of: up to the first line
// break a query, then a Prefer header, then a body. What becomes SQL must keep its
// promises.
#include "domain/utf8.hpp"
#include "wire/rest_body.hpp"
#include "wire/rest_prefer.hpp"
#include "wire/rest_query.hpp"
#include "wire/rest_scanner.hpp"

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

void check(const column_path& path) {
  demand(!path.column.empty() && storable(path.column));
  for (const auto& step : path.steps) {
    demand(!step.key.empty() && storable(step.key));
    demand(!step.index ||
           std::ranges::all_of(step.key.substr(step.key.starts_with('-') ? 1 : 0),
                               [](char c) { return c >= '0' && c <= '9'; }));
  }
}

void check(const column_filter& filter) {
  check(filter.what);
  demand(filter.op == comparison::in || filter.values.size() == 1);
  demand(filter.over == quantifier::none || filter.op != comparison::in);
  demand(storable(filter.config));
  for (const auto& value : filter.values) {
    demand(storable(value));
  }
  if (filter.op == comparison::is) {
    const auto& truth = filter.values.front();
    demand(truth == "null" || truth == "not_null" || truth == "true" ||
           truth == "false" || truth == "unknown");
  }
}

void check(const condition& what, std::size_t depth) {
  demand(depth <= wire::max_query_depth + 1);
  if (what.is == condition::kind::filter) {
    check(what.filter);
    return;
  }
  demand(!what.parts.empty());
  for (const auto& part : what.parts) {
    check(part, depth + 1);
  }
}

void check(const selection& what, std::size_t depth) {
  demand(depth <= wire::max_query_depth);
  demand(!what.limit || *what.limit >= 0);
  demand(what.offset >= 0);
  for (const auto& one : what.columns) {
    check(one.what);
    demand(storable(one.alias));
    // The only text of a client that is spliced into SQL.
    demand(is_type_name(one.cast));
  }
  for (const auto& one : what.conditions) {
    check(one, 0);
  }
  for (const auto& one : what.order) {
    check(one.what);
    demand(storable(one.relation));
  }
  for (const auto& one : what.embedded) {
    demand(!one.relation.empty() && storable(one.relation) && storable(one.hint));
    check(one.of, depth + 1);
  }
}

void check_query(std::string_view line) {
  const auto parameters = wire::decode_query(line);
  if (!parameters) {
    demand(parameters.error().code == errc::invalid_input);
    return;
  }
  for (const auto& [key, value] : *parameters) {
    demand(storable(key) && storable(value));
  }
  for (const auto call : {false, true}) {
    auto query = wire::read_query(*parameters, call);
    if (!query) {
      demand(query.error().code == errc::invalid_input && !query.error().what.empty() &&
             query.error().reason.starts_with("PGRST"));
      continue;
    }
    check(query->what, 0);
    demand(call || query->arguments.empty());
    if (wire::narrow(query->what, line)) {
      check(query->what, 0);
    }
    for (const auto rows : {std::int64_t{0}, std::int64_t{1}}) {
      demand(wire::content_range(query->what.offset, rows, rows).contains('/'));
    }
  }
}

std::string_view take_line(std::string_view& input) {
  const auto end = std::min(input.find('\n'), input.size());
  const auto line = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return line;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  check_query(take_line(input));
  const auto asked = wire::read_prefer(take_line(input));
  demand(asked.max_affected.value_or(0) >= 0);
  for (const auto action :
       {rest_action::read, rest_action::insert, rest_action::call}) {
    demand(!wire::preference_applied(asked, action).ends_with(','));
  }
  if (const auto body = wire::read_body(std::string{input})) {
    demand(body->text == input);
    demand(std::ranges::is_sorted(body->keys));
    demand(body->array || body->rows <= 1);
  }
  return 0;
}
