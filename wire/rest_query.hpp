// The REST dialect of supabase-js (PostgREST's): a URL's query -> what it asks.
#pragma once

#include "domain/error.hpp"
#include "domain/query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::wire {

/// Decoded query parameters in order ('+' is a space). Fails: invalid_input on a broken
/// percent escape or bytes that are not UTF-8.
using query_parameters = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] result<query_parameters> decode_query(std::string_view query);

struct rest_query {
  selection what;
  std::optional<std::vector<std::string>> columns;
  std::vector<std::string> on_conflict;
  /// Of a call by GET: parameters that are no filters, in order.
  query_parameters arguments;
};

/// What the parameters ask for; `call`: of a function by GET. Fails: invalid_input with
/// PostgREST's code as reason (PGRST100 bad syntax, PGRST103 negative window, PGRST108
/// not embedded, PGRST123 aggregates). An offset past the end is the caller's to tell:
/// only the rows' total shows it.
[[nodiscard]] result<rest_query> read_query(const query_parameters& parameters,
                                            bool call);

/// Narrows a selection by a Range header, "0-9" or "5-". What cannot be read is
/// ignored. Fails: PGRST103 when it is empty.
[[nodiscard]] result<void> narrow(selection& what, std::string_view range);

/// Content-Range of rows from `offset`, e.g. "0-9/42", "*/*".
[[nodiscard]] std::string content_range(std::int64_t offset, std::int64_t rows,
                                        std::optional<std::int64_t> total);

} // namespace jessica::wire
