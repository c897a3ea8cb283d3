// auth.users -> account: the columns and how they are read.
#pragma once

#include "domain/account.hpp"
#include "storage/connection.hpp"

#include <string_view>

namespace jessica::storage {

/// The select list that read_account() reads; the table's alias must be "u".
inline constexpr auto account_columns = std::string_view{R"(
  u.id, coalesce(u.email, ''), u.is_anonymous,
  u.raw_app_meta_data::text, u.raw_user_meta_data::text,
  (extract(epoch from u.email_confirmed_at) * 1000000)::bigint,
  (extract(epoch from u.last_sign_in_at) * 1000000)::bigint,
  (extract(epoch from case when u.banned_until < '9999-12-31' then u.banned_until
    when u.banned_until is not null then '9999-12-31' end) * 1000000)::bigint,
  (extract(epoch from u.created_at) * 1000000)::bigint,
  (extract(epoch from u.updated_at) * 1000000)::bigint,
  coalesce(nullif(u.role, ''), 'authenticated'),
  (extract(epoch from u.deleted_at) * 1000000)::bigint)"};
/// How many columns that are: the first column after them.
inline constexpr auto account_width = 12;

[[nodiscard]] account read_account(const rows& found, int row);

} // namespace jessica::storage
