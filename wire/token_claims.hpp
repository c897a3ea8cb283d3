// What the payload of a token says: the claims of RFC 7519, and who they name.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace jessica::wire {

/// The identity a payload (base64url, already verified) names, with the checks that
/// verify_token promises. Fails as it does.
[[nodiscard]] result<identity> read_claims(std::string_view payload,
                                           std::chrono::sys_seconds now);

/// Whether the payload, not verified yet, says it is of this issuer.
[[nodiscard]] bool names_issuer(std::string_view payload, std::string_view issuer);

} // namespace jessica::wire
