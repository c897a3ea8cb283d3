#include "actors/embedding_source.hpp"

#include "storage/connection.hpp"
#include "storage/embedding_rows.hpp"
#include "storage/wal_visibility.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace jessica::actors {
namespace {

using transactions = embedding_source::transactions;
using pieces = embedding_source::pieces;

[[nodiscard]] result<void> wait(storage::connection& db, transactions seen) {
  constexpr auto patience = std::chrono::seconds{5};
  return storage::wait_until_visible(db, seen, patience);
}

[[nodiscard]] pieces all_of(storage::connection& db, const memory_model& model,
                            const user_id& user) {
  constexpr auto page = std::size_t{1000};
  auto all = std::vector<embedded_piece>{};
  for (auto after = embedding_id{};;) {
    auto read = storage::load_pieces_of(db, model, user, after, page);
    if (!read)
      return std::unexpected{std::move(read.error())};
    std::ranges::move(*read, std::back_inserter(all));
    if (read->size() < page)
      return all;
    after = all.back().id;
  }
}

} // namespace

embedding_source embeddings_of(const storage::endpoint& where) {
  auto db = std::make_shared<storage::connection>(where, storage::role::engine);
  return {
      [where,
       db](transactions seen) -> result<std::shared_ptr<storage::embedding_snapshot>> {
        if (auto visible = wait(*db, seen); !visible)
          return std::unexpected{std::move(visible.error())};
        return storage::embedding_snapshot::open(where, {}).transform([](auto made) {
          return std::make_shared<storage::embedding_snapshot>(std::move(made));
        });
      },
      [db](const memory_model& model, std::span<const embedding_id> ids,
           transactions seen) {
        return wait(*db, seen).and_then(
            [&]() -> pieces { return storage::load_pieces(*db, model, ids); });
      },
      [db](const memory_model& model, const user_id& user, transactions seen) {
        return wait(*db, seen).and_then([&] { return all_of(*db, model, user); });
      }};
}

} // namespace jessica::actors
