// Who asks: what a verified token or API key says.
#pragma once

#include "domain/ids.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace jessica {

/// The PostgreSQL roles a client may act as.
enum class db_role : std::uint8_t { anon, authenticated, service_role };

[[nodiscard]] constexpr std::string_view name(db_role role) noexcept {
  switch (role) {
  case db_role::anon:
    return "anon";
  case db_role::authenticated:
    return "authenticated";
  case db_role::service_role:
    return "service_role";
  }
  return "anon";
}

struct identity {
  db_role role = db_role::anon;
  user_id user;            ///< none unless a user's token was verified
  auth_session_id session; ///< none for API keys and foreign users
  bool anonymous = false;  ///< signed in without an e-mail
  bool foreign = false;    ///< a user of the trusted issuer: no account of ours
  std::string email;
  /// The verified claims as a JSON object with "role" set: what row security reads.
  std::string claims = R"({"role":"anon"})";
  /// When the token ends; max() for keys without an end.
  std::chrono::sys_seconds expires = std::chrono::sys_seconds::max();

  [[nodiscard]] bool signed_in() const noexcept { return !user.none(); }
};

} // namespace jessica
