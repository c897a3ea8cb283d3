// An e-mail to be sent: to whom, for what, and the secrets it carries. Its words are
// mail/letter_text's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica {

enum class letter_kind : std::uint8_t {
  confirmation,         ///< of a sign-up
  invite,               ///< by an operator
  magic_link,           ///< a sign-in without a password
  recovery,             ///< of a lost password
  email_change_current, ///< to the address that shall be left
  email_change_new,     ///< to the address that shall be taken
  reauthentication,     ///< before a password is changed; has a code only
};

/// "confirmation", ...: as rows and log events spell it.
[[nodiscard]] std::string_view name(letter_kind kind) noexcept;
[[nodiscard]] std::optional<letter_kind>
parse_letter_kind(std::string_view name) noexcept;

struct letter {
  letter_kind kind = letter_kind::confirmation;
  std::string to;
  std::string code;        ///< six digits
  std::string token;       ///< of the link; empty: there is none
  std::string verify_url;  ///< where the link leads first: .../auth/v1/verify
  std::string redirect_to; ///< and in the end
  std::string new_email;   ///< of an e-mail change
};

} // namespace jessica
