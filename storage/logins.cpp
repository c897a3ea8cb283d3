#include "storage/logins.hpp"

#include <cstddef>
#include <string>

namespace jessica::storage {

result<std::vector<access_change>> ended_logins(connection& db,
                                                std::span<const login> asked) {
  auto users = std::vector<parameter>{};
  auto sessions = std::vector<parameter>{};
  for (const auto& one : asked) {
    users.emplace_back(one.user.str());
    sessions.push_back(one.session.none() ? parameter{} : one.session.str());
  }
  const auto found = db.run(
      {"select n, shut_out, until from jessica.ended_logins($1::uuid[], $2::uuid[])",
       {array_literal(users), array_literal(sessions)}});
  return found.transform([&](const rows& row) {
    auto over = std::vector<access_change>{};
    for (auto i = 0; i < row.size(); ++i) {
      auto who = asked[static_cast<std::size_t>(row.integer(i, 0) - 1)];
      auto one = access_change{access_change::kind::signed_out, who};
      if (row.text(i, 1) == "t")
        one = {access_change::kind::shut_out, {who.user, {}}};
      if (!row.null(i, 2))
        one.until = std::chrono::sys_seconds{std::chrono::seconds{row.integer(i, 2)}};
      over.push_back(one);
    }
    return over;
  });
}

} // namespace jessica::storage
