#include "storage/wal_snapshot.hpp"

#include <algorithm>
#include <cstddef>
#include <format>

namespace jessica::storage {

result<std::vector<rows>> run_in_snapshot(connection& db, std::string_view snapshot,
                                          std::span<const statement> statements) {
  const auto of_name = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || c == '-';
  };
  if (snapshot.empty() || !std::ranges::all_of(snapshot, of_name)) {
    return fail(errc::invalid_input, "not the name of a snapshot");
  }
  auto all = std::vector<statement>{
      {"set transaction isolation level repeatable read, read only", {}},
      {std::format("set transaction snapshot '{}'", snapshot), {}}};
  const auto opening = all.size();
  all.insert(all.end(), statements.begin(), statements.end());
  auto got = db.run(all);
  if (got) {
    got->erase(got->begin(), got->begin() + static_cast<std::ptrdiff_t>(opening));
  }
  return got;
}

} // namespace jessica::storage
