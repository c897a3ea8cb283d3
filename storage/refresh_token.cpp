#include "storage/refresh_token.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace jessica::storage {
namespace {

constexpr auto session_bytes = std::size_t{16};
constexpr auto secret_bytes = std::size_t{32};
constexpr auto token_bytes = session_bytes + secret_bytes;
constexpr auto token_length = token_bytes / 3 * 4; // base64 without a rest
static_assert(secret_bytes == crypto_auth_hmacsha256_KEYBYTES);
static_assert(secret_bytes == crypto_auth_hmacsha256_BYTES);

[[nodiscard]] std::string hex(std::span<const std::uint8_t> bytes) {
  auto text = std::string(bytes.size() * 2 + 1, '\0'); // libsodium ends it with a zero
  sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
  text.pop_back();
  return text;
}

/// randombytes_buf() picks its source at sodium_init(), which may run any number of
/// times.
[[nodiscard]] std::array<std::uint8_t, secret_bytes> random_secret() {
  auto bytes = std::array<std::uint8_t, secret_bytes>{};
  [[maybe_unused]] const auto ready = sodium_init();
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

} // namespace

refresh_token refresh_token::make(auth_session_id session) {
  return {session, random_secret()};
}

std::optional<refresh_token> refresh_token::parse(std::string_view text) {
  auto bytes = std::array<std::uint8_t, token_bytes>{};
  auto size = std::size_t{0};
  if (text.size() != token_length ||
      sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr,
                        &size, nullptr,
                        sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
      size != bytes.size())
    return std::nullopt;
  auto session = auth_session_id{};
  auto secret_part = secret{};
  std::ranges::copy(std::span{bytes}.first<session_bytes>(),
                    session.value.bytes.begin());
  std::ranges::copy(std::span{bytes}.last<secret_bytes>(), secret_part.begin());
  return refresh_token{session, secret_part};
}

std::string refresh_token::make_salt() {
  return hex(random_secret());
}

refresh_token refresh_token::next(std::string_view salt) const {
  auto made = secret{};
  auto state = crypto_auth_hmacsha256_state{};
  crypto_auth_hmacsha256_init(&state, secret_.data(), secret_.size());
  crypto_auth_hmacsha256_update(&state, session_.value.bytes.data(), session_bytes);
  crypto_auth_hmacsha256_update(
      &state, reinterpret_cast<const unsigned char*>(salt.data()), salt.size());
  crypto_auth_hmacsha256_final(&state, made.data());
  return {session_, made};
}

std::string refresh_token::str() const {
  auto bytes = std::array<std::uint8_t, token_bytes>{};
  std::ranges::copy(session_.value.bytes, bytes.begin());
  std::ranges::copy(secret_, bytes.begin() + session_bytes);
  auto text = std::string(token_length + 1, '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.pop_back();
  return text;
}

std::string refresh_token::hash() const {
  const auto text = str();
  auto digest = std::array<std::uint8_t, crypto_hash_sha256_BYTES>{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  return hex(digest);
}

} // namespace jessica::storage
