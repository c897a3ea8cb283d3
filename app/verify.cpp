#include "app/verify.hpp"

#include "app/complaint.hpp"
#include "app/database.hpp"
#include "app/index_check.hpp"
#include "storage/memory_audit.hpp"

#include <algorithm>
#include <cstdio>
#include <span>

namespace jessica::app {
namespace {

[[nodiscard]] long long shown(std::int64_t count) {
  return static_cast<long long>(count);
}

/// How many faults there are.
[[nodiscard]] std::size_t print(const storage::memory_audit& of) {
  std::printf("At %s in the log\n", of.position.str().c_str());
  std::printf("%lld messages with a text, %lld of them waiting to be embedded\n",
              shown(of.messages), shown(of.waiting));
  if (of.model)
    std::printf("%lld embeddings of model %s%s\n", shown(of.embeddings),
                of.model->name.c_str(),
                of.filled ? "" : ", which is still being filled with old texts");
  else
    std::puts("no embedding model");
  for (const auto& one : of.faults)
    std::printf("FAULT %lld %s: %s\n", shown(one.rows), one.what.c_str(),
                one.examples.c_str());
  return of.faults.size();
}

[[nodiscard]] std::size_t print(std::span<const checked_file> files) {
  for (const auto& one : files) {
    std::printf("%s: %zu embeddings, %zu to fetch, %zu to drop", one.file.c_str(),
                one.pieces, one.to_fetch, one.to_drop);
    if (one.compared > 0)
      std::printf(", %zu vectors compared", one.compared);
    std::puts("");
    if (!one.fault.empty())
      std::printf("FAULT %s: %s\n", one.file.c_str(), one.fault.c_str());
  }
  return static_cast<std::size_t>(
      std::ranges::count_if(files, [](const auto& one) { return !one.fault.empty(); }));
}

[[nodiscard]] result<std::size_t> look(const config::settings& settings,
                                       const storage::endpoint& where, bool deep) {
  auto db = storage::connection{where, storage::role::migrations};
  const auto audit = storage::audit_memory(db);
  if (!audit)
    return std::unexpected{audit.error()};
  auto faults = print(*audit);
  if (!audit->model)
    return faults;
  const auto files = check_index_files(settings, where, *audit->model, deep);
  if (!files)
    return std::unexpected{files.error()};
  return faults + print(*files);
}

} // namespace

int verify(const config::settings& settings, const std::vector<std::string>& rest) {
  const auto deep = rest == std::vector<std::string>{"--deep"};
  if (!rest.empty() && !deep)
    return misused("verify takes --deep and nothing else");
  auto db = database::attach(settings.storage);
  if (!db)
    return failed(db.error().what);
  const auto faults = look(settings, db->where(), deep);
  db->close();
  if (!faults)
    return failed(faults.error().what);
  std::puts(*faults == 0 ? "All is as it should be." : "Something is wrong.");
  return *faults == 0 ? 0 : 1;
}

} // namespace jessica::app
