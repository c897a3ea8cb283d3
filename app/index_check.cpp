#include "app/index_check.hpp"

#include "actors/memory_files.hpp"
#include "actors/memory_messages.hpp"
#include "index/vector_index.hpp"
#include "storage/connection.hpp"
#include "storage/embedding_rows.hpp"
#include "storage/embedding_snapshot.hpp"

#include <algorithm>
#include <format>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

namespace jessica::app {
namespace {

constexpr auto rows_a_page = std::size_t{50'000};
constexpr auto vectors_a_page = std::size_t{500};
/// int8 keeps two digits or so of each number.
constexpr auto exact = 0.0001F;
constexpr auto rounded = 0.02F;

using shares = std::vector<std::vector<owned_embedding>>;

/// The table's rows, as they are shared out among the files.
[[nodiscard]] result<shares> rows_of_table(const storage::endpoint& where,
                                           const memory_model& model,
                                           std::size_t count) {
  auto now = storage::embedding_snapshot::open(where, {});
  if (!now)
    return std::unexpected{std::move(now.error())};
  auto all = shares(count);
  for (auto after = embedding_id{};;) {
    auto page = now->owners(model, after, rows_a_page);
    if (!page)
      return std::unexpected{std::move(page.error())};
    for (const auto& row : *page)
      all[actors::shard_of(row.user, count)].push_back(row);
    if (page->size() < rows_a_page)
      return all;
    after = page->back().id;
  }
}

[[nodiscard]] bool same(std::span<const float> one, std::span<const float> other,
                        float within) {
  return std::ranges::equal(one, other, [within](float a, float b) {
    return a - b <= within && b - a <= within;
  });
}

/// Rows that both have; the first whose vectors differ becomes the fault.
[[nodiscard]] result<void> compare(checked_file& to, const index::vector_index& of,
                                   std::span<const owned_embedding> rows,
                                   storage::connection& db, const memory_model& model,
                                   float within) {
  for (; !rows.empty() && to.fault.empty();
       rows = rows.subspan(std::min(vectors_a_page, rows.size()))) {
    auto ids = std::vector<embedding_id>{};
    for (const auto& row : rows.first(std::min(vectors_a_page, rows.size())))
      ids.push_back(row.id);
    const auto pieces = storage::load_pieces(db, model, ids);
    if (!pieces)
      return std::unexpected{pieces.error()};
    for (const auto& piece : *pieces) {
      const auto kept = of.vector_of(piece.user, piece.id);
      if (kept && !same(*kept, piece.vector, within))
        to.fault = std::format("the vector of embedding {} differs", piece.id.value);
      to.compared += kept ? 1 : 0;
    }
  }
  return {};
}

} // namespace

result<std::vector<checked_file>> check_index_files(const config::settings& settings,
                                                    const storage::endpoint& where,
                                                    const memory_model& model,
                                                    bool deep) {
  const auto count = actors::shard_count(settings.memory);
  auto table = rows_of_table(where, model, count);
  if (!table)
    return std::unexpected{std::move(table.error())};
  auto db = storage::connection{where, storage::role::engine};
  auto files = std::vector<checked_file>{};
  for (auto i = std::size_t{0}; i < count; ++i) {
    auto options = actors::shard_options_of(settings, i);
    options.index.model = model.name;
    options.index.dimensions = model.dimensions;
    options.index.budget_bytes = 0;
    auto one = checked_file{};
    one.file = options.file;
    const auto opened = index::vector_index::open(options.index, options.file);
    if (!opened && opened.error().code == errc::not_found)
      continue;
    if (!opened) {
      one.fault = opened.error().what;
      files.push_back(std::move(one));
      continue;
    }
    const auto here = opened->owned();
    const auto& there = (*table)[i];
    auto both = std::vector<owned_embedding>{};
    std::ranges::set_intersection(here, there, std::back_inserter(both));
    one.pieces = here.size();
    one.to_drop = here.size() - both.size();
    one.to_fetch = there.size() - both.size();
    const auto within =
        options.index.form == index::vector_form::int8 ? rounded : exact;
    if (deep)
      if (auto compared = compare(one, *opened, both, db, model, within); !compared)
        return std::unexpected{std::move(compared.error())};
    // What a file has of a user is looked at when it is first read.
    if (const auto damaged = opened->size().damaged_users; damaged > 0)
      one.fault = std::format("what it has of {} users is damaged", damaged);
    files.push_back(std::move(one));
  }
  return files;
}

} // namespace jessica::app
