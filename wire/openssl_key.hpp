// The only door to OpenSSL: asymmetric keys from their numbers, signatures in the form
// of RFC 7518. Numbers are big-endian bytes.
#pragma once

#include "domain/error.hpp"

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;

namespace jessica::wire {

/// The numbers of a P-256 key; `d` is empty for a public one.
struct ec_numbers {
  std::string x;
  std::string y;
  std::string d;
};

/// The numbers of an RSA key; those behind `e` are empty for a public one.
struct rsa_numbers {
  std::string n;
  std::string e;
  std::string d;
  std::string p;
  std::string q;
  std::string dp;
  std::string dq;
  std::string qi;
};

/// Immutable, for any thread.
class openssl_key {
public:
  /// Fails: invalid_input (not on the curve, `d` not of this point).
  [[nodiscard]] static result<openssl_key> from(const ec_numbers& numbers);
  /// Fails: invalid_input (fewer than 2048 or more than 4096 bits, numbers that do not
  /// belong together).
  [[nodiscard]] static result<openssl_key> from(const rsa_numbers& numbers);
  /// A new one on P-256. Fails: internal.
  [[nodiscard]] static result<ec_numbers> make_ec();

  /// SHA-256 with ECDSA, r and s of 32 bytes each, or with RSA PKCS#1 1.5.
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;
  [[nodiscard]] result<std::string> sign(std::string_view text) const;

private:
  openssl_key(std::shared_ptr<evp_pkey_st> key, bool curve)
      : key_(std::move(key)), curve_(curve) {}

  std::shared_ptr<evp_pkey_st> key_;
  bool curve_ = false;
};

} // namespace jessica::wire
