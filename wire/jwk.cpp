#include "wire/jwk.hpp"

#include "wire/base64url.hpp"
#include "wire/json_writer.hpp"
#include "wire/openssl_key.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;

namespace {

constexpr auto least_secret_bytes = std::size_t{32};
constexpr auto most_kid_bytes = std::size_t{256};

struct known_algorithm {
  token_algorithm which;
  std::string_view name;
  std::string_view kind; ///< "kty"
};
constexpr auto algorithms = std::array{
    known_algorithm{token_algorithm::hs256, "HS256", "oct"},
    known_algorithm{token_algorithm::es256, "ES256", "EC"},
    known_algorithm{token_algorithm::rs256, "RS256", "RSA"},
};

[[nodiscard]] std::unexpected<error> bad(std::string what) {
  return fail(errc::invalid_input, std::move(what));
}

/// A text member; nullopt: absent or no text.
[[nodiscard]] std::optional<std::string_view> text_of(const json::object& from,
                                                      std::string_view name) {
  const auto* const found = from.if_contains(name);
  if (found == nullptr || !found->is_string())
    return std::nullopt;
  return std::string_view{found->get_string()};
}

/// The bytes of a member in base64url; empty: absent or not well formed.
[[nodiscard]] std::string bytes_of(const json::object& from, std::string_view name) {
  const auto text = text_of(from, name);
  return text ? decode_base64url(*text).value_or("") : std::string{};
}

[[nodiscard]] std::string base64url(std::string_view bytes) {
  auto text = std::string{};
  append_base64url(
      text, {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
  return text;
}

/// RFC 7638: the hash of the members that make the key, in alphabetical order.
[[nodiscard]] std::string thumbprint(std::string_view members) {
  auto hash = std::array<unsigned char, crypto_hash_sha256_BYTES>{};
  crypto_hash_sha256(hash.data(),
                     reinterpret_cast<const unsigned char*>(members.data()),
                     members.size());
  auto text = std::string{};
  append_base64url(text, hash);
  return text;
}

/// What `alg`, `use` and `kty` say together.
[[nodiscard]] result<token_algorithm> algorithm_of(const json::object& from) {
  const auto kind = text_of(from, "kty");
  const auto found =
      std::ranges::find(algorithms, kind.value_or(""), &known_algorithm::kind);
  if (found == algorithms.end())
    return bad("its \"kty\" is none of EC, RSA, oct");
  if (from.contains("alg") && text_of(from, "alg") != found->name)
    return bad("its \"alg\" is not " + std::string{found->name});
  if (from.contains("use") && text_of(from, "use") != "sig")
    return bad("its \"use\" is not sig");
  return found->which;
}

/// The members that make it a public key, as JSON text without braces.
struct key_text {
  std::string members; ///< in the order of RFC 7638
  openssl_key key;
  bool with_private = false;
};

[[nodiscard]] result<key_text> read_ec(const json::object& from) {
  if (text_of(from, "crv") != "P-256")
    return bad("its \"crv\" is not P-256");
  const auto numbers =
      ec_numbers{bytes_of(from, "x"), bytes_of(from, "y"), bytes_of(from, "d")};
  if (from.contains("d") && numbers.d.empty())
    return bad("its \"d\" is no number");
  auto key = openssl_key::from(numbers);
  if (!key)
    return std::unexpected{std::move(key.error())};
  return key_text{R"("crv":"P-256","kty":"EC","x":")" + base64url(numbers.x) +
                      R"(","y":")" + base64url(numbers.y) + '"',
                  std::move(*key), !numbers.d.empty()};
}

[[nodiscard]] result<key_text> read_rsa(const json::object& from) {
  const auto numbers =
      rsa_numbers{bytes_of(from, "n"),  bytes_of(from, "e"), bytes_of(from, "d"),
                  bytes_of(from, "p"),  bytes_of(from, "q"), bytes_of(from, "dp"),
                  bytes_of(from, "dq"), bytes_of(from, "qi")};
  for (const auto& [name, bytes] :
       {std::pair{"d", &numbers.d}, std::pair{"p", &numbers.p},
        std::pair{"q", &numbers.q}, std::pair{"dp", &numbers.dp},
        std::pair{"dq", &numbers.dq}, std::pair{"qi", &numbers.qi}})
    if (bytes->empty() == from.contains("d"))
      return bad(std::string{"its \""} + name + "\" is no number, or has no \"d\"");
  auto key = openssl_key::from(numbers);
  if (!key)
    return std::unexpected{std::move(key.error())};
  return key_text{R"("e":")" + base64url(numbers.e) + R"(","kty":"RSA","n":")" +
                      base64url(numbers.n) + '"',
                  std::move(*key), !numbers.d.empty()};
}

/// Empty when there is none; nullopt when it is not fit to be one.
[[nodiscard]] std::optional<std::string> kid_of(const json::object& from) {
  if (!from.contains("kid"))
    return std::string{};
  const auto text = text_of(from, "kid");
  if (!text || text->empty() || text->size() > most_kid_bytes)
    return std::nullopt;
  return std::string{*text};
}

} // namespace

std::string_view name(token_algorithm which) noexcept {
  return algorithms[static_cast<std::size_t>(which)].name;
}

std::optional<token_algorithm> parse_algorithm(std::string_view text) {
  const auto found = std::ranges::find(algorithms, text, &known_algorithm::name);
  return found == algorithms.end() ? std::nullopt : std::optional{found->which};
}

result<jwk> jwk::read(const json::object& from) {
  const auto algorithm = algorithm_of(from);
  if (!algorithm)
    return std::unexpected{algorithm.error()};
  auto kid = kid_of(from);
  if (!kid)
    return bad("its \"kid\" is no text of 1 to 256 bytes");
  auto made = jwk{};
  made.algorithm_ = *algorithm;
  made.kid_ = std::move(*kid);
  if (*algorithm == token_algorithm::hs256) {
    made.secret_ = bytes_of(from, "k");
    if (made.secret_.size() < least_secret_bytes || made.kid_.empty())
      return bad("a shared secret needs a \"kid\" and a \"k\" of at least 32 bytes");
    return made;
  }
  auto read = *algorithm == token_algorithm::es256 ? read_ec(from) : read_rsa(from);
  if (!read)
    return std::unexpected{std::move(read.error())};
  if (made.kid_.empty())
    made.kid_ = thumbprint('{' + read->members + '}');
  made.signs_ = read->with_private;
  made.key_ = std::make_shared<const openssl_key>(std::move(read->key));
  auto shown = std::string{"{"};
  shown += read->members + R"(,"alg":")" + std::string{name(*algorithm)} +
           R"(","use":"sig","key_ops":["verify"],"kid":)";
  append_quoted(shown, made.kid_);
  made.public_json_ = shown + '}';
  return made;
}

std::string jwk::verifying_json() const {
  if (secret_.empty())
    return public_json_;
  auto kid = std::string{};
  append_quoted(kid, kid_);
  auto made = object_writer{};
  made.text("kty", "oct").text("alg", "HS256").json("kid", kid);
  made.text("k", base64url(secret_));
  return made.done();
}

bool jwk::verifies(std::string_view text, std::string_view signature) const {
  return key_ && key_->verifies(text, signature);
}

result<std::string> jwk::sign(std::string_view text) const {
  if (!signs_)
    return fail(errc::internal, "the key has no private part");
  return key_->sign(text);
}

jwk jwk::public_part() const {
  auto bare = *this;
  bare.signs_ = false;
  return bare;
}

result<std::string> make_signing_jwk() {
  const auto numbers = openssl_key::make_ec();
  if (!numbers)
    return std::unexpected{numbers.error()};
  const auto x = base64url(numbers->x);
  const auto y = base64url(numbers->y);
  auto made = object_writer{};
  made.text("kty", "EC")
      .text("crv", "P-256")
      .text("alg", "ES256")
      .text("use", "sig")
      .text("kid", thumbprint(R"({"crv":"P-256","kty":"EC","x":")" + x + R"(","y":")" +
                              y + R"("})"))
      .text("x", x)
      .text("y", y)
      .text("d", base64url(numbers->d));
  return made.done();
}

} // namespace jessica::wire
