#include "mail/message.hpp"

#include "mail/header_text.hpp"

#include <format>
#include <utility>

namespace jessica::mail {
namespace {

[[nodiscard]] std::string part(std::string_view boundary, std::string_view type,
                               std::string_view text) {
  return std::format("--{}\r\nContent-Type: text/{}; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n{}\r\n",
                     boundary, type, quoted_printable(text));
}

} // namespace

result<message> compose(const sender_name& from, const letter& what,
                        const letter_text& text, std::chrono::sys_seconds now,
                        std::string_view id) {
  if (!is_address(from.address))
    return fail(errc::invalid_input, "the sender's address is not one");
  if (!is_address(what.to))
    return fail(errc::invalid_input, "the recipient's address is not one");
  // Quoted-printable text has no "=_".
  const auto boundary = std::format("=_{}", id);
  const auto domain = std::string_view{from.address}.substr(from.address.find('@') + 1);
  auto bytes = std::format("Date: {:%a, %d %b %Y %T} +0000\r\n", now);
  bytes += std::format("From: {}\r\n", mailbox(from.name, from.address));
  bytes += std::format("To: {}\r\n", what.to);
  bytes += std::format("Subject: {}\r\n", header_text(text.subject));
  bytes += std::format("Message-ID: <{}@{}>\r\n", id, domain);
  bytes += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  bytes += std::format("Content-Type: multipart/alternative; boundary=\"{}\"\r\n\r\n",
                       boundary);
  bytes += part(boundary, "plain", text.plain);
  bytes += part(boundary, "html", text.html);
  bytes += std::format("--{}--\r\n", boundary);
  return message{from.address, what.to, std::string{name(what.kind)}, std::move(bytes)};
}

} // namespace jessica::mail
