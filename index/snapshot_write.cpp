#include "index/checksum.hpp"
#include "index/draft_file.hpp"
#include "index/snapshot_file.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>
#include <variant>

namespace jessica::index {
namespace {

/// Writes pieces of a part and sums them up.
class summed_part {
public:
  explicit summed_part(draft_file& file) : file_{file} {}

  void append(std::span<const std::byte> bytes) {
    file_.append(bytes);
    sum_.add(bytes);
  }
  /// The gap is part of the sum.
  void align() {
    const auto over = static_cast<std::size_t>(file_.position() % 64);
    if (over != 0)
      append(std::vector<std::byte>(64 - over));
  }
  [[nodiscard]] std::uint64_t sum() const noexcept { return sum_.value(); }

private:
  draft_file& file_;
  checksum sum_;
};

/// Rows that are gone are left out, unless links lead over them.
bool leaves_out(const frozen_rows& rows, std::size_t row) {
  return !rows.graph && !rows.gone.empty() && rows.gone[row] != 0;
}

void append_rows(summed_part& part, const frozen_rows& rows,
                 const chunked_rows& which) {
  if (rows.graph || rows.gone.empty()) {
    for (auto row = std::size_t{0}; row < which.size(); row += chunked_rows::chunk_rows)
      part.append(which.run(row));
    return;
  }
  for (auto row = std::size_t{0}; row < which.size(); ++row)
    if (!leaves_out(rows, row))
      part.append({which[row], which.row_bytes()});
}

std::size_t kept_rows(const frozen_rows& rows) {
  auto kept = std::size_t{0};
  for (auto row = std::size_t{0}; row < rows.facts.size(); ++row)
    kept += leaves_out(rows, row) ? 0U : 1U;
  return kept;
}

/// The file that it was opened from is damaged: of this user only the ids are kept.
std::vector<embedding_id> ids_of(const frozen_rows& rows) {
  auto ids = std::vector<embedding_id>{};
  for (auto row = std::size_t{0}; row < rows.facts.size(); ++row)
    if (rows.gone.empty() || rows.gone[row] == 0) {
      auto facts = piece_facts{};
      std::memcpy(&facts, rows.facts[row], sizeof facts);
      ids.push_back(embedding_id{facts.id});
    }
  std::ranges::sort(ids);
  return ids;
}

void write_ids(draft_file& file, const std::vector<embedding_id>& ids,
               snapshot_entry& entry) {
  auto part = summed_part{file};
  part.append(std::as_bytes(std::span{ids}));
  entry.rows = ids.size();
  entry.facts_sum = part.sum();
  entry.dropped = 1;
}

/// What is written of a user.
using kept_of_user = std::variant<frozen_rows, std::vector<embedding_id>>;

kept_of_user to_be_written(const frozen_user& user) {
  if (const auto ids = std::get_if<std::vector<embedding_id>>(&user.kept))
    return *ids;
  auto [rows, unread] = std::get<partition::frozen>(user.kept);
  if (!unread)
    return rows;
  auto graph = read_part(*unread);
  if (!graph)
    return ids_of(rows);
  rows.graph = std::move(*graph);
  return rows;
}

void write_facts(draft_file& file, const kept_of_user& kept, snapshot_entry& entry) {
  file.align();
  entry.facts_at = file.position();
  if (const auto ids = std::get_if<std::vector<embedding_id>>(&kept)) {
    write_ids(file, *ids, entry);
    return;
  }
  const auto& rows = std::get<frozen_rows>(kept);
  auto part = summed_part{file};
  append_rows(part, rows, rows.facts);
  if (rows.graph) {
    auto gone = rows.gone;
    gone.resize(rows.facts.size(), 0);
    part.append(std::as_bytes(std::span{gone}));
  }
  entry.rows = kept_rows(rows);
  entry.facts_sum = part.sum();
}

void write_vectors(draft_file& file, const frozen_rows& rows, snapshot_entry& entry) {
  file.align();
  auto part = summed_part{file};
  entry.vectors_at = file.position();
  append_rows(part, rows, rows.vectors);
  part.align();
  append_rows(part, rows, rows.sketches);
  if (rows.graph) {
    part.align();
    entry.links_at = file.position();
    entry.links = rows.graph->links().size();
    entry.graph_entry = rows.graph->entry();
    part.append(std::as_bytes(rows.graph->levels()));
    part.align();
    part.append(std::as_bytes(rows.graph->links()));
  }
  entry.vectors_bytes = file.position() - entry.vectors_at;
  entry.vectors_sum = part.sum();
}

snapshot_head head_of(const frozen_index& state) {
  auto head = snapshot_head{};
  head.form = static_cast<std::uint32_t>(state.form);
  head.dimensions = static_cast<std::uint32_t>(state.dimensions);
  state.model.copy(head.model.data(), longest_model);
  head.users = state.users.size();
  return head;
}

} // namespace

result<void> write_snapshot(const frozen_index& state,
                            const std::filesystem::path& file) {
  auto draft = draft_file{file, sizeof(snapshot_head)};
  auto entries = std::vector<snapshot_entry>{};
  auto all_kept = std::vector<kept_of_user>{};
  for (const auto& user : state.users) {
    entries.push_back({.user = user.user.value});
    all_kept.push_back(to_be_written(user));
    write_facts(draft, all_kept.back(), entries.back());
  }
  for (auto i = std::size_t{0}; i < entries.size(); ++i)
    if (const auto rows = std::get_if<frozen_rows>(&all_kept[i]))
      write_vectors(draft, *rows, entries[i]);
  draft.align();
  auto head = head_of(state);
  head.directory_at = draft.position();
  auto directory = summed_part{draft};
  directory.append(std::as_bytes(std::span{entries}));
  head.directory_sum = directory.sum();
  head.file_bytes = draft.position();
  const auto bytes = std::as_bytes(std::span{&head, 1});
  head.sum = checksum_of(bytes.first(offsetof(snapshot_head, sum)));
  return draft.publish(bytes);
}

} // namespace jessica::index
