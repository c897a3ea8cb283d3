// What an administrator says about an account, new or old.
#pragma once

#include "domain/account.hpp"
#include "domain/ids.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jessica {

struct account_fields {
  std::optional<user_id> id{}; ///< of a new account only
  std::string email{};         ///< validated, lower case; empty: stays
  std::string password{};      ///< plain and checked; empty: stays
  std::string password_hash{}; ///< of another server, as it was; empty: none
  bool confirm_email = false;
  std::string user_metadata = "{}"; ///< JSON object to be merged; a null removes
  std::string app_metadata = "{}";
  std::string role{}; ///< of the tokens; empty: stays
  /// From now on; zero lifts a ban; absent: stays.
  std::optional<std::chrono::milliseconds> ban{};
};

/// Which part of all accounts, the newest first.
struct page_request {
  std::int64_t page = 1;
  std::int64_t per_page = 50;
};
struct account_page {
  std::vector<account> accounts;
  std::int64_t total = 0; ///< of all pages
};

} // namespace jessica
