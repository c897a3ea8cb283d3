// Feeds the reader of tokens whatever libFuzzer thinks of: as a token, as the parts of
// a token that is then signed, as claims or header of a signed one, as a signature, as
// a key or a set of keys, as base64url.
#include "wire/base64url.hpp"
#include "wire/json_reader.hpp"
#include "wire/jwt.hpp"
#include "wire/key_ring.hpp"
#include "wire/trusted_issuer.hpp"

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
#include <utility>

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

/// One private key and one public one, beside the secret, and an issuer with the same.
struct known_keys {
  wire::key_ring ring;
  wire::trusted_issuer issuer{"https://issuer.test/auth/v1", ""};

  known_keys() {
    auto made = wire::key_ring::read_own(*wire::make_signing_jwk());
    demand(made.has_value());
    ring = std::move(*made);
    auto shown = wire::key_ring::read_public(ring.public_json());
    demand(shown.has_value() && shown->all().size() == 1);
    issuer.use(std::move(*shown));
  }
};

known_keys& keys() {
  static auto known = known_keys{};
  return known;
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

std::string base64(std::string_view bytes) {
  auto text = std::string{};
  wire::append_base64url(text, bytes_of(bytes));
  return text;
}

/// As a signature of the right header and claims, nothing is good.
void forge(std::string_view input) {
  const auto header = R"({"alg":"ES256","kid":")" + keys().ring.signer()->kid() + "\"}";
  const auto text =
      base64(header) + '.' + base64(R"({"role":"anon","exp":1800000000})");
  const auto by = wire::token_keys{secret, &keys().ring, &keys().issuer};
  demand(!wire::verify_token(text + '.' + base64(input), by, now));
  demand(!keys().ring.signer()->verifies(text, input));
}

/// As a key: whatever is read shows nothing private, and reads again.
void read_keys(std::string_view input) {
  for (const auto& ring :
       {wire::key_ring::read_own(input), wire::key_ring::read_public(input)}) {
    if (!ring)
      continue;
    const auto shown = ring->public_json();
    demand(wire::valid_json(shown));
    const auto again = wire::key_ring::read_public(shown);
    demand(again.has_value() && again->signer() == nullptr);
  }
}

/// As header and as claims of tokens signed by the key, ours and the issuer's.
void sign_with_key(std::string_view input) {
  const auto by = wire::token_keys{secret, &keys().ring, &keys().issuer};
  const auto* const key = keys().ring.signer();
  const auto header = R"({"alg":"ES256","kid":")" + key->kid() + "\"}";
  for (const auto& text :
       {base64(header) + '.' + base64(input),
        base64(input) + '.' + base64(R"({"role":"anon","exp":1800000000})")}) {
    const auto who = wire::verify_token(text + '.' + base64(*key->sign(text)), by, now);
    check(who);
    demand(!who || !who->foreign ||
           (who->role != db_role::service_role && who->session.none()));
  }
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
  forge(input);
  read_keys(input);
  sign_with_key(input);
  return 0;
}
