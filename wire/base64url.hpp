// base64url without padding (RFC 4648, section 5), as tokens use it. Not for secrets:
// decoding looks the characters up in a table, in time that depends on them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace jessica::wire {

/// The bytes of a text that is well formed to the last bit; else nullopt.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

void append_base64url(std::string& to, std::span<const unsigned char> bytes);

} // namespace jessica::wire
