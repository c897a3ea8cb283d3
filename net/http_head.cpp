#include "net/http_head.hpp"

#include "net/gate.hpp"
#include "wire/openai_problem.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <chrono>
#include <format>
#include <utility>

namespace jessica::net {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

/// As the Date header has it; formatted once a second.
const std::string& date_now() {
  thread_local auto made_for = std::chrono::sys_seconds::min();
  thread_local auto text = std::string{};
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != made_for) {
    made_for = now;
    text = std::format("{:%a, %d %b %Y %H:%M:%S} GMT", now);
  }
  return text;
}

bool one_line(std::string_view text) {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

/// In the words of the API that was asked.
http_response worded(const error& what, std::string_view target) {
  return refusal_of(api_of(target.substr(0, target.find('?'))) == api::openai
                        ? wire::openai_problem(what)
                        : wire::function_problem(what));
}

} // namespace

std::string response_head(const http_response& of, body_form form, bool keep_alive) {
  const auto reason =
      http::obsolete_reason(http::int_to_status(static_cast<unsigned>(of.status)));
  auto out = std::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", of.status,
                         std::string_view{reason}, date_now());
  for (const auto& [name, value] : of.headers)
    if (one_line(name) && one_line(value))
      out.append(name).append(": ").append(value).append("\r\n");
  const auto has_body = of.status >= 200 && of.status != 204 && of.status != 304;
  if (has_body && form == body_form::sized)
    out += std::format("Content-Length: {}\r\n", of.body.size());
  if (form == body_form::chunked)
    out += "Transfer-Encoding: chunked\r\n";
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return out;
}

http_response refusal_of(wire::problem from) {
  auto out = http_response{from.status, std::move(from.headers), std::move(from.body)};
  const auto missing = [&out](std::string_view name) {
    return std::ranges::none_of(out.headers, [name](const auto& field) {
      return beast::iequals(field.first, name);
    });
  };
  if (missing("content-type"))
    out.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  if (missing("access-control-allow-origin"))
    out.headers.emplace_back("Access-Control-Allow-Origin", "*");
  return out;
}

std::optional<http_response> read_failure(const boost::system::error_code& why,
                                          std::string_view target) {
  const auto end = http::make_error_code(http::error::end_of_stream);
  if (why.category() != end.category() || why == http::error::end_of_stream ||
      why == http::error::partial_message)
    return {};
  if (why == http::error::body_limit)
    return worded({errc::too_large, "the request body is too large", {}, nullptr},
                  target);
  if (why == http::error::header_limit) {
    auto out = worded(
        {errc::too_large, "the request headers are too large", {}, nullptr}, target);
    out.status = 431;
    return out;
  }
  return worded(
      {errc::invalid_input, "not an HTTP/1.1 request: " + why.message(), {}, nullptr},
      target);
}

} // namespace jessica::net
