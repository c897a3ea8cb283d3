#include "actors/embedding_source.hpp"

#include "storage/connection.hpp"
#include "storage/embedding_rows.hpp"
#include "storage/wal_visibility.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace jessica::actors {

embedding_source embeddings_of(const storage::endpoint& where) {
  auto db = std::make_shared<storage::connection>(where, storage::role::engine);
  return {
      [where, db](std::span<const std::uint32_t> seen)
          -> result<std::shared_ptr<storage::embedding_snapshot>> {
        constexpr auto patience = std::chrono::seconds{5};
        if (auto visible = storage::wait_until_visible(*db, seen, patience); !visible)
          return std::unexpected{std::move(visible.error())};
        return storage::embedding_snapshot::open(where, {}).transform([](auto made) {
          return std::make_shared<storage::embedding_snapshot>(std::move(made));
        });
      },
      [db](const memory_model& model, std::span<const embedding_id> ids) {
        return storage::load_pieces(*db, model, ids);
      },
      [db](const memory_model& model,
           const user_id& user) -> result<std::vector<embedded_piece>> {
        constexpr auto page = std::size_t{1000};
        auto all = std::vector<embedded_piece>{};
        for (auto after = embedding_id{};;) {
          auto read = storage::load_pieces_of(*db, model, user, after, page);
          if (!read)
            return std::unexpected{std::move(read.error())};
          std::ranges::move(*read, std::back_inserter(all));
          if (read->size() < page)
            return all;
          after = all.back().id;
        }
      }};
}

} // namespace jessica::actors
