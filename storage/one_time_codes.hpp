// Issuing codes: the hash, the letter and what the account shows of it in one commit.
#pragma once

#include "domain/ids.hpp"
#include "domain/letter.hpp"
#include "domain/one_time.hpp"
#include "storage/connection.hpp"
#include "storage/mail_rules.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// What a letter's code is good for: a row's kind. A magic link is a recovery that asks
/// for nothing more.
[[nodiscard]] std::string_view code_kind(letter_kind what) noexcept;

/// How a session is called that an app opens with the code behind such a letter's link.
[[nodiscard]] std::string_view flow_method(letter_kind what) noexcept;

/// One letter to issue.
struct issue {
  user_id user;
  letter_kind kind = letter_kind::confirmation;
  std::string to;
  std::string new_email; ///< of an e-mail change
};

/// What stores codes and letters for `what`, to be run in one transaction. A new code
/// of a kind replaces the user's old one.
[[nodiscard]] std::vector<statement> issue_codes(const mail_rules& rules,
                                                 const std::vector<issue>& what,
                                                 const link_plan& plan);

} // namespace jessica::storage
