#include "storage/rest_fault.hpp"

#include <format>
#include <memory>
#include <utility>

namespace jessica::storage {

std::unexpected<error> rest_fault(errc code, std::string sqlstate, std::string message,
                                  std::string details, std::string hint) {
  auto what = message;
  auto reason = sqlstate;
  return std::unexpected{error{code, std::move(what), std::move(reason),
                               std::make_shared<const sql_fault>(
                                   sql_fault{std::move(sqlstate), std::move(message),
                                             std::move(details), std::move(hint)})}};
}

std::string json_text(std::string_view text) {
  auto made = std::string{'"'};
  for (const auto c : text) {
    if (c == '"' || c == '\\')
      made.append(1, '\\').append(1, c);
    else if (static_cast<unsigned char>(c) < 0x20U)
      made += std::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      made += c;
  }
  return made + '"';
}

} // namespace jessica::storage
