#include "net/auth_limits.hpp"

#include "net/routes.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace jessica::net {
namespace {

constexpr auto five_minutes = 300.0;
constexpr auto hour = 3600.0;
/// Addresses or accounts remembered of one kind: some 100 bytes each, 400 at worst.
constexpr auto most_keys = std::size_t{50'000};
/// As many calls at once as the servers that clients know allow.
constexpr auto usual_burst = 30.0;

[[nodiscard]] std::unique_ptr<ops::rate_limiter>
limiter(std::size_t rate, double seconds, double burst = usual_burst) {
  if (rate == 0)
    return nullptr;
  const auto each = static_cast<double>(rate);
  return std::make_unique<ops::rate_limiter>(
      ops::rate_limiter::pace{each / seconds, std::min(each, burst)}, most_keys);
}

[[nodiscard]] constexpr std::size_t index(paced kind) noexcept {
  return static_cast<std::size_t>(kind);
}

} // namespace

auth_limits::auth_limits(const config::auth_settings& rates)
    : attempts_(limiter(rates.wrong_password_rate, five_minutes)) {
  kinds_[index(paced::token)] = limiter(rates.token_rate, five_minutes);
  for (const auto kind :
       {paced::sign_up, paced::change, paced::otp, paced::recover, paced::resend})
    kinds_[index(kind)] = limiter(rates.otp_rate, five_minutes);
  kinds_[index(paced::verify)] = limiter(rates.verify_rate, five_minutes);
  kinds_[index(paced::anonymous)] =
      limiter(rates.anonymous_rate, hour, static_cast<double>(rates.anonymous_rate));
}

std::optional<http_response> auth_limits::over(paced kind, const http_request& asked) {
  const auto& limit = kinds_[index(kind)];
  const auto who = counted_address(asked.remote_ip);
  if (!limit || who.empty())
    return std::nullopt;
  return limit->take(who, ops::rate_limiter::clock::now()).transform([&](auto wait) {
    return too_often("over_request_rate_limit", wait, asked);
  });
}

std::optional<http_response> auth_limits::over_attempts(const std::string& email,
                                                        const http_request& asked) {
  if (!attempts_)
    return std::nullopt;
  return attempts_->take(email, ops::rate_limiter::clock::now())
      .transform(
          [&](auto wait) { return too_often("over_request_rate_limit", wait, asked); });
}

void auth_limits::forget_attempt(const std::string& email) {
  if (attempts_)
    attempts_->give_back(email);
}

http_response too_often(std::string reason, std::chrono::nanoseconds wait,
                        const http_request& asked) {
  auto answer = refuse_for(std::move(reason), errc::overloaded, asked);
  std::erase_if(answer.headers,
                [](const auto& header) { return header.first == "Retry-After"; });
  answer.headers.emplace_back(
      "Retry-After",
      std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return answer;
}

std::string counted_address(const std::string& ip) {
  auto four = in_addr{};
  if (::inet_pton(AF_INET, ip.c_str(), &four) == 1)
    return ip.starts_with("127.") ? std::string{} : ip;
  auto six = in6_addr{};
  if (::inet_pton(AF_INET6, ip.c_str(), &six) != 1 || IN6_IS_ADDR_LOOPBACK(&six))
    return {};
  constexpr auto prefix_of_mapped = std::string_view{"::ffff:"};
  if (IN6_IS_ADDR_V4MAPPED(&six))
    return counted_address(ip.substr(std::min(prefix_of_mapped.size(), ip.size())));
  constexpr auto network_bytes = std::size_t{8};
  return {reinterpret_cast<const char*>(six.s6_addr), network_bytes};
}

} // namespace jessica::net
