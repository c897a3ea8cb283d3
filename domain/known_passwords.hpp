// The passwords that everybody tries first, carried in the binary
// (cmake/known_passwords.cmake makes them from domain/known_passwords.txt).
#pragma once

#include <span>
#include <string_view>

namespace jessica {

/// In lower case, sorted by bytes; each at least six characters long.
[[nodiscard]] std::span<const std::string_view> known_passwords() noexcept;

} // namespace jessica
