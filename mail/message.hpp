// A message as SMTP carries it (RFC 5322): headers, and the same words twice.
#pragma once

#include "domain/error.hpp"
#include "mail/letter_text.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace jessica::mail {

struct message {
  std::string from; ///< addresses alone, for the envelope
  std::string to;
  std::string kind;  ///< of the letter, for files and the log
  std::string bytes; ///< lines end in CRLF
};

struct sender_name {
  std::string address;
  std::string name; ///< UTF-8; may be empty
};

/// `id` must be unique, letters, digits and dashes. Fails: invalid_input when an
/// address is none: nothing is sent with it.
[[nodiscard]] result<message> compose(const sender_name& from, const letter& what,
                                      const letter_text& text,
                                      std::chrono::sys_seconds now,
                                      std::string_view id);

} // namespace jessica::mail
