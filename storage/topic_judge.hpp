// The policies on realtime.messages, read from the catalogue and put into one query:
// who may join a private topic is judged without writing a row.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"
#include "storage/policy.hpp"

#include <string>
#include <string_view>

namespace jessica::storage {

/// Gives the answers of topic_rights_of() for a fraction of its price. Belongs to one
/// connection, whose role is `requests`.
class topic_judge {
public:
  /// Never by policies that no longer hold: the query tells which ones it was made of,
  /// and is made anew when they are others. What a policy may not read, or cannot be
  /// put into a query, is asked of row security itself. Fails as topic_rights_of().
  [[nodiscard]] result<topic_rights> rights_of(connection& db, const identity& who,
                                               std::string_view topic);

private:
  [[nodiscard]] result<void> read_policies(connection& db);

  std::string query_;    ///< empty: the policies are to be read
  std::string policies_; ///< the ones it was made of
};

} // namespace jessica::storage
