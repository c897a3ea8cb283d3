#include "storage/policy.hpp"

#include <string>

namespace jessica::storage {

result<topic_rights> topic_rights_of(connection& db, const identity& who,
                                     std::string_view topic) {
  if (topic.contains('\0'))
    return fail(errc::invalid_input, "a topic holds a zero byte");
  const auto probed =
      db.run({"select reads, writes, presence_reads, presence_writes "
              "from jessica.topic_rights($1, $2, $3)",
              {std::string{name(who.role)}, who.claims, std::string{topic}}});
  return probed.transform([](const rows& row) {
    const auto may = [&](int column) { return row.text(0, column) == "t"; };
    return topic_rights{may(0), may(1), may(2), may(3)};
  });
}

} // namespace jessica::storage
