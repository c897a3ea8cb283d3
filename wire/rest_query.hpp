// The REST dialect of supabase-js (PostgREST's): URL -> table_query.
#pragma once

#include "domain/error.hpp"
#include "domain/query.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::wire {

/// Decoded query parameters in order ('+' is a space). Fails: invalid_input on a broken
/// percent escape or bytes that are not UTF-8.
using query_parameters = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] result<query_parameters> decode_query(std::string_view query);

/// What a GET on a table asks for; `prefer` is the Prefer header. Fails: invalid_input
/// with PostgREST's code as reason (PGRST100 bad filter, PGRST108 embedded filter,
/// PGRST200 embedding, PGRST123 aggregates, PGRST103 negative window). An offset past
/// the end is the caller's to tell: only the page's total shows it.
[[nodiscard]] result<table_query> read_table_query(std::string_view table,
                                                   const query_parameters& parameters,
                                                   std::string_view prefer);

/// Content-Range of a page, e.g. "0-9/42", "*/*".
[[nodiscard]] std::string content_range(const table_query& asked,
                                        const table_page& page);

} // namespace jessica::wire
