// Texts in the header and body of a message, so that nothing in them ends a line early
// or passes for another header.
#pragma once

#include <string>
#include <string_view>

namespace jessica::mail {

/// One local part, one @, one domain, in visible ASCII without what separates
/// addresses.
[[nodiscard]] bool is_address(std::string_view text) noexcept;

/// A header's text: as it is when it is plain ASCII, else in encoded words (RFC 2047).
/// Control characters become spaces.
[[nodiscard]] std::string header_text(std::string_view utf8);

/// `Name <address>`; `address` must be one.
[[nodiscard]] std::string mailbox(std::string_view name, std::string_view address);

/// Quoted-printable with lines of at most 76 characters that end in CRLF. Line feeds of
/// `text` are its line ends.
[[nodiscard]] std::string quoted_printable(std::string_view text);

/// Text as HTML shows it, also between quotes.
[[nodiscard]] std::string html_text(std::string_view text);

} // namespace jessica::mail
