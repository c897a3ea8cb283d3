// The policies on realtime.messages, read from the catalogue and put into one query:
// who may join a private topic is judged without writing a row.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"
#include "storage/policy.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// May `who` join this topic? Both must outlive the call.
struct topic_question {
  const identity* who = nullptr;
  std::string_view topic; ///< without "realtime:"
};

/// Gives the answers of topic_rights_of() for a fraction of its price, many in one
/// round trip. Belongs to one connection, whose role is `requests`.
class topic_judge {
public:
  /// One answer each, in order. Never by policies that no longer hold: behind the
  /// questions it asks which ones there are, and when they are others than the query
  /// was made of, all is asked anew. What a policy may not read, or cannot be put into
  /// a query, is asked of row security itself. Each fails for itself, as
  /// topic_rights_of().
  [[nodiscard]] std::vector<result<topic_rights>>
  rights_of(connection& db, std::span<const topic_question> asked);

private:
  using answers = std::vector<result<topic_rights>>;

  [[nodiscard]] result<void> read_policies(connection& db);
  /// Nothing: they cannot be judged together.
  [[nodiscard]] std::optional<answers> judge(connection& db,
                                             std::span<const topic_question> asked);

  std::string query_;    ///< empty: the policies are to be read
  std::string check_;    ///< asks which policies there are
  std::string policies_; ///< the ones the query was made of
};

} // namespace jessica::storage
