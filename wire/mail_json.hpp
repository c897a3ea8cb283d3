// Bodies of the calls that mail codes and take them back. Null is absent, unknown
// fields are ignored.
#pragma once

#include "domain/error.hpp"
#include "domain/one_time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

// All fail with the reasons bad_json, validation_failed and phone_provider_disabled.

/// The challenge of a PKCE flow among the fields of any body; nullopt: there is none.
[[nodiscard]] result<std::optional<pkce_challenge>>
read_challenge(std::string_view body);

struct otp_request {
  std::string email; ///< lower case, as in all of these
  std::string data = "{}";
  bool create_user = true;
  std::optional<pkce_challenge> pkce;
};
[[nodiscard]] result<otp_request> read_otp(std::string_view body);

struct recover_request {
  std::string email;
  std::optional<pkce_challenge> pkce;
};
[[nodiscard]] result<recover_request> read_recover(std::string_view body);

struct resend_request {
  std::string email;
  bool change = false; ///< of an e-mail change, else of a sign-up
  std::optional<pkce_challenge> pkce;
};
[[nodiscard]] result<resend_request> read_resend(std::string_view body);

struct invite_request {
  std::string email;
  std::string data = "{}";
};
[[nodiscard]] result<invite_request> read_invite(std::string_view body);

/// What POST /verify shows: a token hash, or a code and the address it went to. A
/// phone's fails with otp_expired: none is ever sent.
[[nodiscard]] result<presented_code> read_verify(std::string_view body);

/// What a link says; `type` must be one that links have.
[[nodiscard]] result<presented_code> read_link(std::string token,
                                               std::string_view type);

struct pkce_request {
  std::string auth_code;
  std::string code_verifier;
};
[[nodiscard]] result<pkce_request> read_pkce(std::string_view body);

} // namespace jessica::wire
