// Feeds the reader of tokens whatever libFuzzer thinks of: as a token, as the parts of
// a token that is then signed, as claims of a signed one, as base64url.
#include "wire/base64url.hpp"
#include "wire/json_reader.hpp"
#include "wire/jwt.hpp"

#include <boost/json/src.hpp> // built here, so that the fuzzer sees into it
#include <sodium.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

using namespace jessica;

constexpr auto secret = std::string_view{"a secret of the fuzzer, long enough"};
constexpr auto now = std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}};

// Ends the process, which is how libFuzzer is told.
void demand(bool promise) {
  if (!promise) {
    std::abort();
  }
}

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

void check(const result<identity>& read) {
  if (!read) {
    return demand(read.error().code == errc::unauthenticated &&
                  !read.error().reason.empty() && !read.error().what.empty());
  }
  demand(read->expires > now);
  demand(wire::valid_json(read->claims) && read->claims.starts_with('{'));
  demand((read->role == db_role::authenticated) == !read->user.none());
}

std::string signed_token(std::string token) {
  auto state = crypto_auth_hmacsha256_state{};
  auto proof = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>{};
  crypto_auth_hmacsha256_init(&state, bytes_of(secret).data(), secret.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(token).data(), token.size());
  crypto_auth_hmacsha256_final(&state, proof.data());
  token += '.';
  wire::append_base64url(token, proof);
  return token;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::string_view{reinterpret_cast<const char*>(data), size};
  if (const auto bytes = wire::decode_base64url(input)) {
    auto again = std::string{};
    wire::append_base64url(again, bytes_of(*bytes));
    demand(again == input); // each text has one meaning, each meaning one text
  }
  const auto forged = wire::verify_token(input, secret, now);
  demand(!forged); // nobody guesses a signature
  check(forged);
  check(wire::verify_token(signed_token(std::string{input}), secret, now));
  auto claims = std::string{"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."};
  wire::append_base64url(claims, bytes_of(input));
  check(wire::verify_token(signed_token(std::move(claims)), secret, now));
  return 0;
}
