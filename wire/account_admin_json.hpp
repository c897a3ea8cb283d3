// Bodies of /auth/v1/admin/users: what administrators send and see.
#pragma once

#include "domain/account_fields.hpp"
#include "domain/error.hpp"
#include "domain/password_policy.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Fails: bad_json, validation_failed, phone_provider_disabled and as check_password.
/// A new account needs an e-mail.
[[nodiscard]] result<account_fields> read_new_account(std::string_view body,
                                                      const password_policy& policy);
/// The same for an account that is there: anything may be absent, an id is ignored.
[[nodiscard]] result<account_fields> read_account_fields(std::string_view body,
                                                         const password_policy& policy);

/// "300ms", "1.5h", "24h0m5s", "none" (zero). Fails: validation_failed.
[[nodiscard]] result<std::chrono::milliseconds> read_ban(std::string_view text);

/// should_soft_delete; without a body false. Fails: bad_json, validation_failed.
[[nodiscard]] result<bool> read_soft_delete(std::string_view body);

/// The parameters page and per_page; empty ones are 1 and 50, more than 1000 a page
/// are 1000. Fails: validation_failed.
[[nodiscard]] result<page_request> read_page(std::string_view page,
                                             std::string_view per_page);

/// {"users":[USER],"aud"}.
[[nodiscard]] std::string accounts_json(const account_page& page);

/// The header Link to the next page, when there is one, and the last. The client reads
/// the number behind the first '=' of each, so `page` comes first.
[[nodiscard]] std::string page_links(std::string_view path, const page_request& asked,
                                     std::int64_t total);

} // namespace jessica::wire
