#include "config/key_rules.hpp"

#include <algorithm>
#include <format>
#include <string_view>

namespace jessica::config {
namespace {

constexpr auto least_secret_bytes = std::size_t{32}; // as much as the hash of HS256
constexpr auto least_opaque_bytes = std::size_t{16}; // behind the prefix

[[nodiscard]] bool is_opaque_key(std::string_view key, std::string_view prefix) {
  const auto plain = [](char c) { return c > ' ' && c <= '~'; };
  return key.starts_with(prefix) && key.size() >= prefix.size() + least_opaque_bytes &&
         std::ranges::all_of(key, plain);
}

[[nodiscard]] bool is_web_address(std::string_view url) {
  const auto plain = [](char c) { return c > ' ' && c <= '~'; };
  return (url.starts_with("https://") || url.starts_with("http://")) &&
         std::ranges::all_of(url, plain);
}

void check_opaque(std::vector<std::string>& into, std::string_view name,
                  std::string_view key, std::string_view prefix) {
  if (!key.empty() && !is_opaque_key(key, prefix))
    into.push_back(std::format("{} must be {} and {} characters or more", name, prefix,
                               least_opaque_bytes));
}

} // namespace

std::vector<std::string> mistakes_of_keys(const auth_settings& in) {
  auto found = std::vector<std::string>{};
  check_opaque(found, "auth.publishable_key", in.publishable_key, "sb_publishable_");
  check_opaque(found, "auth.secret_key", in.secret_key, "sb_secret_");
  if (in.trusted_issuer.empty() &&
      !(in.trusted_keys_url.empty() && in.trusted_secret.empty()))
    found.emplace_back("auth.trusted_issuer must name whose keys or secret these are");
  if (!in.trusted_keys_url.empty() && !is_web_address(in.trusted_keys_url))
    found.emplace_back("auth.trusted_keys_url must be an https:// or http:// URL");
  if (!in.trusted_issuer.empty() && in.trusted_keys_url.empty() &&
      in.trusted_secret.empty() && !is_web_address(in.trusted_issuer))
    found.emplace_back("auth.trusted_issuer must be an https:// or http:// URL, or "
                       "auth.trusted_keys_url or auth.trusted_secret be given");
  if (!in.trusted_secret.empty() && in.trusted_secret.size() < least_secret_bytes)
    found.push_back(
        std::format("auth.trusted_secret needs at least {} bytes", least_secret_bytes));
  return found;
}

} // namespace jessica::config
