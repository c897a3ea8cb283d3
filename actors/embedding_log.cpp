#include "actors/embedding_log.hpp"

#include "ops/log.hpp"
#include "storage/embedding_rows.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace jessica::actors {
namespace {

class log_reader {
public:
  log_reader(logged_changes& to, const memory_model& model) : to_{to}, model_{model} {}

  void operator()(const storage::row_change& change) {
    if (!storage::is_embeddings(*change.table()))
      return;
    if (change.kind() == storage::change_kind::remove) {
      if (const auto row = storage::removed_by(change))
        give(row->user, *row);
      return;
    }
    auto piece = storage::piece_of(change, model_);
    if (!piece)
      ops::warn("memory.piece_refused", {{"cause", piece.error().what}});
    else if (*piece)
      give((*piece)->user, std::move(**piece));
  }
  void operator()(const storage::tables_truncated& emptied) {
    if (!std::ranges::any_of(emptied.tables, [](const auto& table) {
          return storage::is_embeddings(*table);
        }))
      return;
    for (auto& share : to_.shares)
      share.assign(1, table_emptied{});
    to_.emptied = true;
  }
  void operator()(const storage::wal_message&) {}

private:
  void give(user_id user, piece_change what) {
    to_.shares[shard_of(user, to_.shares.size())].push_back(std::move(what));
    ++to_.changes;
  }

  logged_changes& to_;
  const memory_model& model_;
};

} // namespace

logged_changes read_log(const storage::feed_piece& piece, const memory_model& model,
                        std::size_t shards) {
  auto read = logged_changes{};
  read.shares.resize(shards);
  auto reader = log_reader{read, model};
  for (const auto& event : piece.events)
    std::visit(reader, event);
  return read;
}

} // namespace jessica::actors
