// /rest/v1: what supabase.from(table) reaches. Reads only, so far.
#include "net/routes.hpp"
#include "net/static_files.hpp"
#include "wire/rest_query.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <memory>
#include <optional>
#include <utility>

namespace jessica::net {

namespace {

constexpr auto exposed_schema = std::string_view{"public"};

/// What the client can take: rows as an array, or exactly one row as an object.
enum class shape : std::uint8_t { array, object };

[[nodiscard]] constexpr std::string_view media_type(shape of) {
  return of == shape::object ? "application/vnd.pgrst.object+json; charset=utf-8"
                             : "application/json; charset=utf-8";
}

[[nodiscard]] std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t'))
    text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t'))
    text.remove_suffix(1);
  return text;
}

/// One alternative of an Accept header, e.g. "application/json;q=0.9".
[[nodiscard]] std::optional<shape> shape_of(std::string_view alternative) {
  if (alternative.contains("nulls=stripped"))
    return std::nullopt;
  const auto type = trimmed(alternative.substr(0, alternative.find(';')));
  constexpr auto arrays = std::to_array<std::string_view>(
      {"*/*", "application/*", "application/json", "application/vnd.pgrst.array+json",
       "application/vnd.pgrst.array"});
  if (std::ranges::contains(arrays, type))
    return shape::array;
  if (type == "application/vnd.pgrst.object+json" ||
      type == "application/vnd.pgrst.object")
    return shape::object;
  return std::nullopt;
}

/// The first alternative that we have; an empty header takes anything.
[[nodiscard]] std::optional<shape> accepted(std::string_view header) {
  if (trimmed(header).empty())
    return shape::array;
  for (;;) {
    const auto comma = header.find(',');
    if (const auto found = shape_of(header.substr(0, comma)))
      return found;
    if (comma == std::string_view::npos)
      return std::nullopt;
    header.remove_prefix(comma + 1);
  }
}

/// The query without the API key, which is neither a filter nor to be repeated.
[[nodiscard]] std::string without_key(std::string_view query) {
  auto kept = std::string{};
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.starts_with("apikey=") || part.empty())
      continue;
    kept += kept.empty() ? "" : "&";
    kept += part;
  }
  return kept;
}

/// An error of the REST dialect with the texts its clients show.
[[nodiscard]] error dialect_error(std::string code, std::string message,
                                  std::string details = {}, std::string hint = {}) {
  auto fault = sql_fault{std::move(code), std::move(message), std::move(details),
                         std::move(hint)};
  return {errc::invalid_input, fault.message, fault.sqlstate,
          std::make_shared<const sql_fault>(fault)};
}

[[nodiscard]] error not_one_row(std::int64_t rows) {
  return dialect_error("PGRST116", "Cannot coerce the result to a single JSON object",
                       std::format("The result contains {} rows", rows));
}

[[nodiscard]] http_response beyond_the_end(const http_request& asked,
                                           const table_query& query,
                                           std::int64_t total) {
  auto answer = refuse(
      dialect_error(
          "PGRST103", "Requested range not satisfiable",
          std::format("An offset of {} was requested, but there are only {} rows.",
                      query.offset, total)),
      asked, true);
  answer.headers.emplace_back("Content-Range", std::format("*/{}", total));
  return answer;
}

/// The one element of an array's text.
[[nodiscard]] std::string_view only_element(std::string_view array) {
  array = trimmed(array);
  array.remove_prefix(array.starts_with('['));
  array.remove_suffix(array.ends_with(']'));
  return trimmed(array);
}

[[nodiscard]] http_response page_response(const http_request& asked,
                                          const table_query& query, table_page page,
                                          shape as) {
  if (page.total && query.offset > *page.total)
    return beyond_the_end(asked, query, *page.total);
  if (as == shape::object && page.rows != 1)
    return refuse(not_one_row(page.rows), asked, true);
  auto answer = http_response{};
  answer.status = page.total && page.rows < *page.total ? 206 : 200;
  answer.headers = {{"Content-Type", std::string{media_type(as)}},
                    {"Content-Range", wire::content_range(query, page)},
                    {"Content-Profile", std::string{exposed_schema}},
                    {"Vary", "Accept, Prefer, Range"}};
  const auto parameters = without_key(asked.query);
  answer.headers.emplace_back("Content-Location",
                              asked.path.substr(asked.path.rfind('/')) +
                                  (parameters.empty() ? "" : "?" + parameters));
  if (query.count == row_count::exact)
    answer.headers.emplace_back("Preference-Applied", "count=exact");
  answer.body =
      as == shape::object ? std::string{only_element(page.json)} : std::move(page.json);
  return answer;
}

/// A read as the headers and the query string mean it.
struct table_read {
  table_query query;
  shape as = shape::array;
};
[[nodiscard]] result<table_read> read_of(const http_request& asked,
                                         std::string_view table) {
  const auto schema = asked.header("accept-profile");
  if (!schema.empty() && schema != exposed_schema)
    return std::unexpected{
        dialect_error("PGRST106", std::format("Invalid schema: {}", schema), {},
                      "Only the following schemas are exposed: public")};
  const auto as = accepted(asked.header("accept"));
  if (!as)
    return std::unexpected{dialect_error(
        "PGRST107", std::format("None of these media types are available: {}",
                                asked.header("accept")))};
  const auto parameters = wire::decode_query(without_key(asked.query));
  if (!parameters)
    return std::unexpected{parameters.error()};
  auto query = wire::read_table_query(table, *parameters, asked.header("prefer"));
  if (!query)
    return std::unexpected{std::move(query.error())};
  return table_read{std::move(*query), *as};
}

answering read_table(const admitted& what, std::string_view table, call in) {
  const auto& asked = what.request;
  const auto signed_in = what.who.role != db_role::anon;
  const auto read = read_of(asked, table);
  if (!read)
    co_return refuse(read.error(), asked, signed_in);
  auto message = actors::select_rows{what.who, read->query};
  auto page = co_await in.actors.ask<table_page>(in.with.readers, std::move(message),
                                                 in.with.settings.net.request_timeout);
  if (!page)
    co_return refuse(page.error(), asked, signed_in);
  co_return page_response(asked, read->query, std::move(*page), read->as);
}

[[nodiscard]] http_response method_refused(const http_request& asked, std::string why,
                                           std::string_view methods) {
  auto answer = refuse(dialect_error("PGRST117", std::move(why)), asked, true);
  answer.headers.emplace_back("Allow", methods);
  return answer;
}

answering table(const admitted& what, call in) {
  const auto& asked = what.request;
  const auto name = decode_path(what.rest);
  if (what.rest.empty())
    co_return refuse(dialect_error("PGRST126", "Root endpoint metadata is disabled"),
                     asked, true);
  if (!name || name->contains('/'))
    co_return refuse(dialect_error("PGRST125", "Invalid path specified in request URL"),
                     asked, true);
  if (asked.method != "GET" && asked.method != "HEAD")
    co_return method_refused(asked, "Writing through REST is not available yet",
                             "GET, HEAD");
  co_return co_await read_table(what, *name, in);
}

answering function(const admitted& what, call) {
  co_return method_refused(what.request,
                           "Calling functions through REST is not available yet", "");
}

constexpr auto routes = std::to_array<route>({
    {"*", "/rest/v1/rpc/*", caller::principal, function},
    {"*", "/rest/v1/*", caller::principal, table},
    {"*", "/rest/v1", caller::principal, table},
});

} // namespace

std::span<const route> rest_routes() {
  return routes;
}

} // namespace jessica::net
