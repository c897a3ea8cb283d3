// A sign-in: what the tokens of one auth session have in common, and end with.
#pragma once

#include "domain/identity.hpp"

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace jessica {

struct login {
  user_id user;            ///< never none
  auth_session_id session; ///< none: of tokens that name no session

  friend auto operator<=>(const login&, const login&) = default;
};

[[nodiscard]] inline login login_of(const identity& who) {
  return {who.user, who.session};
}

/// What became of logins, as the database tells it.
struct access_change {
  enum class kind : std::uint8_t {
    signed_out, ///< this login, for good
    shut_out,   ///< the user, with every login, until `until`
    let_in      ///< the user may come in again
  };
  kind what = kind::signed_out;
  login who; ///< without a session when it is about the user
  /// A ban's end; max(): none, or the user is deleted.
  std::chrono::sys_seconds until = std::chrono::sys_seconds::max();

  friend bool operator==(const access_change&, const access_change&) = default;
};

} // namespace jessica

template <> struct std::hash<jessica::login> {
  std::size_t operator()(const jessica::login& one) const noexcept {
    constexpr auto odd = std::size_t{0x9e3779b97f4a7c15};
    return std::hash<jessica::user_id>{}(one.user) * odd ^
           std::hash<jessica::auth_session_id>{}(one.session);
  }
};
