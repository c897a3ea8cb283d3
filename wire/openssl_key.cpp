#include "wire/openssl_key.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <array>
#include <utility>
#include <vector>

namespace jessica::wire {
namespace {

constexpr auto field_bytes = std::size_t{32}; // of P-256: a coordinate, r, s
constexpr auto uncompressed = '\x04';
constexpr auto least_rsa_bits = 2048;
constexpr auto most_rsa_bits = 4096;

template <auto Free> struct freed_by {
  void operator()(auto* what) const noexcept { Free(what); }
};
using big_number = std::unique_ptr<BIGNUM, freed_by<BN_clear_free>>;
using parameters = std::unique_ptr<OSSL_PARAM, freed_by<OSSL_PARAM_free>>;
using parameter_builder =
    std::unique_ptr<OSSL_PARAM_BLD, freed_by<OSSL_PARAM_BLD_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>>;
using ecdsa_signature = std::unique_ptr<ECDSA_SIG, freed_by<ECDSA_SIG_free>>;
using key_handle = std::shared_ptr<EVP_PKEY>;

[[nodiscard]] const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

[[nodiscard]] unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

[[nodiscard]] big_number number_of(std::string_view bytes) {
  return big_number{
      BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

/// OpenSSL's own account of a failure stays behind in the thread.
[[nodiscard]] std::unexpected<error> bad_key(std::string what) {
  ERR_clear_error();
  return fail(errc::invalid_input, std::move(what));
}

[[nodiscard]] std::unexpected<error> own_fault(std::string what) {
  ERR_clear_error();
  return fail(errc::internal, std::move(what));
}

/// Numbers on their way into a key.
class key_parts {
public:
  void number(const char* name, std::string_view bytes) {
    if (bytes.empty())
      return;
    numbers_.push_back(number_of(bytes));
    good_ = good_ && numbers_.back() &&
            OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get()) == 1;
  }
  void text(const char* name, std::string_view value) {
    good_ = good_ && OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, value.data(),
                                                     value.size()) == 1;
  }
  void octets(const char* name, std::string_view value) {
    good_ = good_ && OSSL_PARAM_BLD_push_octet_string(builder_.get(), name,
                                                      value.data(), value.size()) == 1;
  }

  /// Null: they make no key of this kind.
  [[nodiscard]] key_handle build(const char* kind, bool with_private) const {
    const auto built =
        parameters{good_ ? OSSL_PARAM_BLD_to_param(builder_.get()) : nullptr};
    const auto context =
        key_context{EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr)};
    auto* made = static_cast<EVP_PKEY*>(nullptr);
    const auto what = with_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    const auto done = built && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                      EVP_PKEY_fromdata(context.get(), &made, what, built.get()) == 1;
    return done ? key_handle{made, EVP_PKEY_free} : nullptr;
  }

private:
  parameter_builder builder_{OSSL_PARAM_BLD_new()};
  std::vector<big_number> numbers_; // must outlive the builder's use of them
  bool good_ = builder_ != nullptr;
};

/// The point is on the curve, the parts belong together.
[[nodiscard]] bool sound(const key_handle& key, bool with_private) {
  const auto context = key_context{EVP_PKEY_CTX_new(key.get(), nullptr)};
  return context && EVP_PKEY_public_check(context.get()) == 1 &&
         (!with_private || EVP_PKEY_pairwise_check(context.get()) == 1);
}

/// r and s of a JWS as the DER that OpenSSL wants; empty: not of that form.
[[nodiscard]] std::string der_of(std::string_view signature) {
  if (signature.size() != 2 * field_bytes)
    return {};
  auto r = number_of(signature.substr(0, field_bytes));
  auto s = number_of(signature.substr(field_bytes));
  const auto both = ecdsa_signature{ECDSA_SIG_new()};
  if (!r || !s || BN_is_zero(r.get()) == 1 || BN_is_zero(s.get()) == 1 || !both ||
      ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1)
    return {};
  (void)r.release(); // they are the signature's now
  (void)s.release();
  auto der = std::string{};
  if (const auto size = i2d_ECDSA_SIG(both.get(), nullptr); size > 0) {
    der.resize(static_cast<std::size_t>(size));
    auto* to = bytes_of(der);
    i2d_ECDSA_SIG(both.get(), &to);
  }
  return der;
}

/// And back.
[[nodiscard]] std::string raw_of(std::string_view der) {
  const auto* from = bytes_of(der);
  const auto both =
      ecdsa_signature{d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(der.size()))};
  auto raw = std::string(2 * field_bytes, '\0');
  constexpr auto width = static_cast<int>(field_bytes);
  const auto done =
      both &&
      BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), bytes_of(raw), width) == width &&
      BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), bytes_of(raw) + field_bytes, width) ==
          width;
  return done ? raw : std::string{};
}

/// A number of a key, padded to a field's width; empty: it has none of this name.
[[nodiscard]] std::string field_of(const EVP_PKEY* key, const char* name) {
  auto* found = static_cast<BIGNUM*>(nullptr);
  if (EVP_PKEY_get_bn_param(key, name, &found) != 1)
    return {};
  const auto number = big_number{found};
  auto bytes = std::string(field_bytes, '\0');
  constexpr auto width = static_cast<int>(field_bytes);
  return BN_bn2binpad(number.get(), bytes_of(bytes), width) == width ? bytes
                                                                     : std::string{};
}

} // namespace

result<openssl_key> openssl_key::from(const ec_numbers& numbers) {
  if (numbers.x.size() != field_bytes || numbers.y.size() != field_bytes ||
      (!numbers.d.empty() && numbers.d.size() != field_bytes))
    return bad_key("a number of a P-256 key has 32 bytes");
  auto parts = key_parts{};
  parts.text(OSSL_PKEY_PARAM_GROUP_NAME, "P-256");
  const auto point = uncompressed + numbers.x + numbers.y;
  parts.octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  parts.number(OSSL_PKEY_PARAM_PRIV_KEY, numbers.d);
  const auto with_private = !numbers.d.empty();
  auto key = parts.build("EC", with_private);
  if (!key || !sound(key, with_private))
    return bad_key("its numbers are no key on P-256");
  return openssl_key{std::move(key), true};
}

result<openssl_key> openssl_key::from(const rsa_numbers& numbers) {
  auto parts = key_parts{};
  parts.number(OSSL_PKEY_PARAM_RSA_N, numbers.n);
  parts.number(OSSL_PKEY_PARAM_RSA_E, numbers.e);
  parts.number(OSSL_PKEY_PARAM_RSA_D, numbers.d);
  const auto with_private = !numbers.d.empty();
  if (with_private) {
    parts.number(OSSL_PKEY_PARAM_RSA_FACTOR1, numbers.p);
    parts.number(OSSL_PKEY_PARAM_RSA_FACTOR2, numbers.q);
    parts.number(OSSL_PKEY_PARAM_RSA_EXPONENT1, numbers.dp);
    parts.number(OSSL_PKEY_PARAM_RSA_EXPONENT2, numbers.dq);
    parts.number(OSSL_PKEY_PARAM_RSA_COEFFICIENT1, numbers.qi);
  }
  if (numbers.n.size() > most_rsa_bits / 8)
    return bad_key("an RSA key has 2048 to 4096 bits");
  auto key = parts.build("RSA", with_private);
  if (!key)
    return bad_key("its numbers are no RSA key");
  if (EVP_PKEY_get_bits(key.get()) < least_rsa_bits)
    return bad_key("an RSA key has 2048 to 4096 bits");
  if (!sound(key, with_private))
    return bad_key("its numbers are no RSA key");
  return openssl_key{std::move(key), false};
}

result<ec_numbers> openssl_key::make_ec() {
  const auto made =
      key_handle{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), EVP_PKEY_free};
  if (!made)
    return own_fault("no key could be made");
  auto numbers = ec_numbers{field_of(made.get(), OSSL_PKEY_PARAM_EC_PUB_X),
                            field_of(made.get(), OSSL_PKEY_PARAM_EC_PUB_Y),
                            field_of(made.get(), OSSL_PKEY_PARAM_PRIV_KEY)};
  if (numbers.x.empty() || numbers.y.empty() || numbers.d.empty())
    return own_fault("the new key has no numbers");
  return numbers;
}

bool openssl_key::verifies(std::string_view text, std::string_view signature) const {
  const auto der = curve_ ? der_of(signature) : std::string{};
  const auto proof = curve_ ? std::string_view{der} : signature;
  const auto wanted = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  if (proof.empty() || (!curve_ && proof.size() != wanted))
    return false;
  const auto context = digest_context{EVP_MD_CTX_new()};
  const auto good = context &&
                    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr,
                                         key_.get()) == 1 &&
                    EVP_DigestVerify(context.get(), bytes_of(proof), proof.size(),
                                     bytes_of(text), text.size()) == 1;
  if (!good)
    ERR_clear_error();
  return good;
}

result<std::string> openssl_key::sign(std::string_view text) const {
  const auto context = digest_context{EVP_MD_CTX_new()};
  auto proof =
      std::string(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  auto size = proof.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) !=
          1 ||
      EVP_DigestSign(context.get(), bytes_of(proof), &size, bytes_of(text),
                     text.size()) != 1)
    return own_fault("a token could not be signed");
  proof.resize(size);
  if (curve_)
    proof = raw_of(proof);
  if (proof.empty())
    return own_fault("a token could not be signed");
  return proof;
}

} // namespace jessica::wire
