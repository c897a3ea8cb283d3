#include "index/checksum.hpp"
#include "index/mapped_file.hpp"
#include "index/snapshot_file.hpp"

#include <algorithm>
#include <cstring>
#include <format>
#include <utility>

namespace jessica::index {
namespace {

std::unexpected<error> damaged(std::string_view what) {
  return fail(errc::invalid_input,
              std::format("the index's file is damaged: {}", what));
}

/// A stretch of the file; empty and false when it is not all inside.
struct file_bytes {
  std::shared_ptr<const mapped_file> file;

  [[nodiscard]] std::optional<std::span<const std::byte>>
  at(std::uint64_t offset, std::uint64_t count, std::size_t size) const {
    const auto all = file->bytes();
    if (offset % 8 != 0 || offset > all.size() || count > (all.size() - offset) / size)
      return std::nullopt;
    return all.subspan(offset, count * size);
  }
};

/// Where the next part of a user's begins.
std::uint64_t next_line(std::uint64_t offset) {
  constexpr auto line = std::uint64_t{64};
  return (offset + line - 1) / line * line;
}

std::span<const std::int32_t> integers(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::int32_t*>(bytes.data()),
          bytes.size() / sizeof(std::int32_t)};
}

result<snapshot_head> head_of(const mapped_file& file) {
  auto head = snapshot_head{};
  const auto bytes = file.bytes();
  if (bytes.size() < sizeof head)
    return damaged("it ends in its head");
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != snapshot_magic || head.byte_order != snapshot_byte_order)
    return damaged("it is none");
  if (head.version != snapshot_version)
    return fail(errc::conflict, "the index's file is of another version");
  if (head.sum != checksum_of(bytes.first(offsetof(snapshot_head, sum))))
    return damaged("its head");
  if (head.file_bytes != bytes.size())
    return damaged("its length");
  return head;
}

result<void> agree(const snapshot_head& head, const index_options& options) {
  if (options.model != head.model.data())
    return fail(errc::conflict,
                std::format("the index's file is of the model {}", head.model.data()));
  if (head.form != static_cast<std::uint32_t>(options.form) ||
      head.dimensions != options.dimensions)
    return fail(errc::conflict, "the index's file has vectors of another form or size");
  return {};
}

result<std::vector<snapshot_entry>> directory_of(const snapshot_head& head,
                                                 const file_bytes& file) {
  const auto bytes = file.at(head.directory_at, head.users, sizeof(snapshot_entry));
  if (!bytes || checksum_of(*bytes) != head.directory_sum)
    return damaged("its directory");
  auto entries = std::vector<snapshot_entry>(head.users);
  if (!entries.empty())
    std::memcpy(entries.data(), bytes->data(), bytes->size());
  return entries;
}

/// The facts of one user, checked.
result<std::span<const std::byte>> facts_of(const snapshot_entry& entry,
                                            const file_bytes& file) {
  const auto each = entry.dropped != 0    ? sizeof(embedding_id)
                    : entry.links_at != 0 ? sizeof(piece_facts) + 1
                                          : sizeof(piece_facts);
  const auto bytes = file.at(entry.facts_at, entry.rows, each);
  if (!bytes || checksum_of(*bytes) != entry.facts_sum)
    return damaged("the facts of a user");
  return *bytes;
}

std::vector<embedding_id> ids_in(std::span<const std::byte> bytes) {
  auto ids = std::vector<embedding_id>(bytes.size() / sizeof(embedding_id));
  if (!ids.empty())
    std::memcpy(ids.data(), bytes.data(), bytes.size());
  return ids;
}

/// Where vectors and links are; partition::check reads them.
result<unread_part> unread_of(const snapshot_entry& entry, const file_bytes& file) {
  const auto all = file.at(entry.vectors_at, entry.vectors_bytes, 1);
  if (!all)
    return damaged("the vectors of a user");
  auto part = unread_part{.bytes = *all, .sum = entry.vectors_sum, .file = file.file};
  if (entry.links_at == 0)
    return part;
  const auto levels = file.at(entry.links_at, entry.rows, sizeof(std::int32_t));
  const auto links =
      file.at(next_line(entry.links_at + entry.rows * sizeof(std::int32_t)),
              entry.links, sizeof(std::int32_t));
  if (!levels || !links)
    return damaged("the links of a user");
  part.graph = unread_graph{integers(*levels), integers(*links), entry.graph_entry};
  return part;
}

result<partition> partition_of(const snapshot_entry& entry,
                               std::span<const std::byte> facts, const file_bytes& file,
                               const index_options& options, const vector_code& code) {
  auto unread = unread_of(entry, file);
  if (!unread)
    return std::unexpected{std::move(unread.error())};
  const auto vectors = file.at(entry.vectors_at, entry.rows, code.row_bytes());
  const auto each = code.sketches().row_bytes();
  const auto sketches = file.at(
      next_line(entry.vectors_at + entry.rows * code.row_bytes()), entry.rows, each);
  if (!vectors || !sketches ||
      sketches->data() + sketches->size() > unread->bytes.data() + unread->bytes.size())
    return damaged("the vectors of a user");
  const auto of_facts = facts.first(entry.rows * sizeof(piece_facts));
  const auto flags = facts.subspan(of_facts.size());
  auto gone = std::vector<std::uint8_t>(flags.size());
  std::ranges::transform(flags, gone.begin(), [](std::byte flag) {
    return std::to_integer<std::uint8_t>(flag);
  });
  return partition{code, options.graph_from,
                   piece_rows{chunked_rows{sizeof(piece_facts), of_facts, file.file},
                              chunked_rows{code.row_bytes(), *vectors, file.file},
                              chunked_rows{each, *sketches, file.file},
                              std::move(gone)},
                   std::move(*unread)};
}

} // namespace

result<std::vector<opened_user>> open_snapshot(const index_options& options,
                                               const vector_code& code,
                                               const std::filesystem::path& path) {
  auto mapped = mapped_file::open(path);
  if (!mapped)
    return std::unexpected{std::move(mapped.error())};
  const auto file = file_bytes{std::move(*mapped)};
  const auto head = head_of(*file.file);
  if (!head)
    return std::unexpected{head.error()};
  if (const auto agreed = agree(*head, options); !agreed)
    return std::unexpected{agreed.error()};
  const auto entries = directory_of(*head, file);
  if (!entries)
    return std::unexpected{entries.error()};
  auto users = std::vector<opened_user>{};
  users.reserve(entries->size());
  for (const auto& entry : *entries) {
    const auto facts = facts_of(entry, file);
    if (!facts)
      return std::unexpected{facts.error()};
    const auto user = user_id{entry.user};
    if (entry.dropped != 0) {
      users.push_back({user, ids_in(*facts)});
      continue;
    }
    auto kept = partition_of(entry, *facts, file, options, code);
    if (!kept)
      return std::unexpected{std::move(kept.error())};
    users.push_back({user, std::move(*kept)});
  }
  return users;
}

} // namespace jessica::index
