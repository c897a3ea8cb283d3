// Opening a session: the row, its first refresh token, and where the client came from.
#pragma once

#include "domain/account.hpp"
#include "storage/connection.hpp"
#include "storage/refresh_token.hpp"

#include <string_view>

namespace jessica::storage {

/// A session about to be stored.
class new_session {
public:
  /// `method`: "password" or "anonymous".
  new_session(user_id user, std::string_view method, const client_origin& from);

  /// Stores session and token, and returns when the session began (unix seconds) and
  /// its method; no row when the user is deleted or banned. Role: accounts.
  [[nodiscard]] const statement& insert() const noexcept { return insert_; }
  /// The grant, from the user's row and the row that insert() returned.
  [[nodiscard]] session_grant grant(account user, const rows& inserted) const;

private:
  refresh_token token_;
  statement insert_;
};

/// A grant from a session's row: `column` holds when it began (unix seconds), the next
/// one its method.
[[nodiscard]] session_grant read_grant(account user, const refresh_token& live,
                                       const rows& found, int column);

/// The address as inet takes it, NULL for what is none.
[[nodiscard]] parameter address_of(const client_origin& from);
/// The program's name in printable ASCII, cut to a sane length; it is a client's text.
[[nodiscard]] parameter program_of(const client_origin& from);

} // namespace jessica::storage
