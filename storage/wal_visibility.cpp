#include "storage/wal_visibility.hpp"

#include <string>
#include <thread>

namespace jessica::storage {

result<void> wait_until_visible(connection& db, std::uint32_t xid,
                                std::chrono::milliseconds limit) {
  if (xid == 0)
    return {};
  return wait_until_visible(db, std::span{&xid, 1}, limit);
}

result<void> wait_until_visible(connection& db, std::span<const std::uint32_t> xids,
                                std::chrono::milliseconds limit) {
  constexpr auto pause = std::chrono::microseconds{200};
  if (xids.empty())
    return {};
  auto list = std::string{};
  for (const auto xid : xids)
    list += (list.empty() ? '{' : ',') + std::to_string(xid);
  list += '}';
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    // A transaction gives up the lock on its own number after its rows became visible.
    const auto held =
        db.run({"select exists (select from pg_locks where locktype = 'transactionid' "
                "and transactionid = any ($1::text::xid[]) and granted)",
                {list}});
    if (!held)
      return std::unexpected{held.error()};
    if (held->text(0, 0) != "t")
      return {};
    if (std::chrono::steady_clock::now() >= deadline)
      return fail(errc::timeout, "a committed transaction does not become visible");
    std::this_thread::sleep_for(pause);
  }
}

} // namespace jessica::storage
