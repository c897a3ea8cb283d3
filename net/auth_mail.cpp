#include "net/auth_mail.hpp"

#include "net/auth_request.hpp"
#include "wire/problem.hpp"
#include "wire/redirect.hpp"

#include <array>
#include <utility>

namespace jessica::net {
namespace {

[[nodiscard]] std::string_view oauth_word(int status) noexcept {
  switch (status) {
  case 400:
    return "invalid_request";
  case 401:
    return "unauthorized_client";
  case 403:
    return "access_denied";
  case 500:
    return "server_error";
  case 503:
    return "temporarily_unavailable";
  default:
    return {};
  }
}

} // namespace

std::optional<http_response> over(paced kind, const http_request& asked,
                                  const backend& with) {
  return with.limits ? with.limits->over(kind, asked) : std::nullopt;
}

bool sends_mail(const config::settings& settings) noexcept {
  return settings.auth.mail_mode != "none";
}

std::string destination_of(const http_request& asked,
                           const config::settings& settings) {
  const auto& auth = settings.auth;
  const auto& site = auth.site_url.empty() ? settings.net.public_url : auth.site_url;
  for (auto wish : std::array{query_value(asked, "redirect_to"),
                              std::string{asked.header("referer")}})
    if (wire::may_redirect(wish, site, auth.redirect_urls))
      return wish;
  return site;
}

link_plan plan_of(const http_request& asked, const config::settings& settings,
                  std::optional<pkce_challenge> pkce) {
  auto here = settings.net.public_url;
  while (here.ends_with('/'))
    here.pop_back();
  return {here + "/auth/v1/verify", destination_of(asked, settings), std::move(pkce)};
}

auth_refusal refusal_of(const error& why) {
  auto words = wire::auth_words(why);
  return {std::move(words.code), std::move(words.message), oauth_word(words.status)};
}

} // namespace jessica::net
