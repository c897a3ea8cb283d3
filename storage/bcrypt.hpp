// bcrypt hashes of accounts that come from elsewhere. Slow on purpose: never on a
// reactor or a CAF worker.
#pragma once

#include <string_view>

namespace jessica::storage {

/// $2a$, $2b$ or $2y$ of a cost that a sign-in can bear (4 to 15), salt and hash in
/// full.
[[nodiscard]] bool is_bcrypt(std::string_view hash) noexcept;

/// False too for what bcrypt cannot tell apart: more than 72 bytes, or a NUL.
[[nodiscard]] bool verify_bcrypt(std::string_view hash, std::string_view password);

} // namespace jessica::storage
