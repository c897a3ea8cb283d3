#include "engines/fault.hpp"

#include "domain/utf8.hpp"

#include <array>

namespace jessica::engines {
namespace {

constexpr auto unreachable = std::string_view{"The language model cannot be reached."};
constexpr auto misconfigured = std::string_view{
    "The language model is not set up correctly; an administrator must look at it."};
constexpr auto busy = std::string_view{"The language model is busy; try again later."};
constexpr auto broken = std::string_view{"The language model's answer was broken."};
constexpr auto slow = std::string_view{"The language model took too long."};

//                                  name, shown, retryable, falls back, counts
constexpr auto rules = std::array<fault_rule, fault_kinds>{{
    {"name_unknown", unreachable, true, true, true},
    {"unreachable", unreachable, true, true, true},
    {"connect_timeout", unreachable, true, true, true},
    {"proxy_failed", unreachable, true, true, true},
    {"tls_failed", misconfigured, false, true, true},
    {"unauthorized", misconfigured, false, true, true},
    {"not_found", "The language model does not exist.", false, true, false},
    {"rate_limited", busy, true, true, false},
    {"bad_request", "The language model refused the question.", false, false, false},
    {"server_error", "The language model failed.", true, true, true},
    {"redirected", misconfigured, false, true, true},
    {"unexpected_answer", broken, false, true, true},
    {"first_token_late", slow, true, true, true},
    {"stalled", slow, true, true, true},
    {"total_timeout", slow, false, false, false},
    {"cut", "The language model's answer broke off.", true, true, true},
    {"malformed", broken, true, true, true},
    {"too_long", "The language model's answer was too long.", false, false, false},
    {"reported", "The language model failed.", true, true, true},
    {"queue_full", busy, true, true, false},
    {"left_alone", unreachable, true, true, false},
    {"no_model", "No language model of this name is offered.", false, false, false},
}};

} // namespace

const fault_rule& rule_of(fault_kind kind) noexcept {
  return rules[static_cast<std::size_t>(kind)];
}

failed_by cause_of(fault_kind kind) noexcept {
  switch (kind) {
  case fault_kind::name_unknown:
  case fault_kind::unreachable:
  case fault_kind::proxy_failed:
  case fault_kind::left_alone:
    return failed_by::absence;
  case fault_kind::connect_timeout:
  case fault_kind::first_token_late:
  case fault_kind::stalled:
  case fault_kind::total_timeout:
    return failed_by::delay;
  case fault_kind::rate_limited:
  case fault_kind::queue_full:
    return failed_by::load;
  case fault_kind::bad_request:
    return failed_by::request;
  case fault_kind::not_found:
  case fault_kind::no_model:
    return failed_by::name;
  case fault_kind::tls_failed:
  case fault_kind::unauthorized:
  case fault_kind::server_error:
  case fault_kind::redirected:
  case fault_kind::unexpected_answer:
  case fault_kind::cut:
  case fault_kind::malformed:
  case fault_kind::too_long:
  case fault_kind::reported:
    break;
  }
  return failed_by::answer;
}

std::optional<fault_kind> fault_of_status(unsigned status) noexcept {
  switch (status) {
  case 200:
    return std::nullopt;
  case 400:
  case 413:
  case 422:
    return fault_kind::bad_request;
  case 401:
  case 403:
    return fault_kind::unauthorized;
  case 404:
    return fault_kind::not_found;
  case 408:
    return fault_kind::server_error;
  case 429:
    return fault_kind::rate_limited;
  default:
    if (status >= 500)
      return fault_kind::server_error;
    if (status >= 300 && status < 400)
      return fault_kind::redirected;
    return fault_kind::unexpected_answer;
  }
}

std::string quoted_words(std::string_view text, std::string_view secret) {
  constexpr auto most_bytes = std::size_t{300};
  auto clean = std::string{};
  while (!text.empty() && clean.size() < most_bytes) {
    if (!secret.empty() && text.starts_with(secret)) {
      clean += "***";
      text.remove_prefix(secret.size());
      continue;
    }
    const auto [value, size, valid] = first_code_point(text);
    if (!valid)
      clean += "\uFFFD";
    else if (value < U' ' || value == 0x7f)
      clean += ' ';
    else
      clean += text.substr(0, size);
    text.remove_prefix(size);
  }
  return std::string{cut_utf8(clean, most_bytes)};
}

} // namespace jessica::engines
