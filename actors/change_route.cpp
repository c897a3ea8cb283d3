#include "actors/change_router.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>
#include <ranges>
#include <string_view>
#include <tuple>

namespace jessica::actors {
namespace {

using wire::change_cell;
using wire::change_type;
using cells = std::vector<change_cell>;

/// Whose rights are looked up for one change; past that nobody is told, because the
/// feed would fall behind.
constexpr auto most_judged = std::size_t{2000};

[[nodiscard]] change_type type_of(storage::change_kind kind) {
  switch (kind) {
  case storage::change_kind::insert:
    return change_type::insert;
  case storage::change_kind::update:
    return change_type::update;
  case storage::change_kind::remove:
    return change_type::remove;
  }
  return change_type::remove;
}

[[nodiscard]] change_cell cell_of(const storage::field& from) {
  switch (from.state) {
  case storage::field_state::null:
    return {change_cell::kind::null, {}};
  case storage::field_state::text:
    return {change_cell::kind::text, from.text};
  case storage::field_state::unknown:
  case storage::field_state::unchanged:
    break;
  }
  return {};
}

[[nodiscard]] cells cells_of(const storage::row_view& row,
                             const storage::realtime_table& table) {
  auto made = cells{};
  made.reserve(table.columns.size());
  for (const auto& column : table.columns)
    made.push_back(cell_of(row.at(column.name)));
  return made;
}

/// Keeps the columns for which `keep` says so; the others become unknown.
template <class Keep> [[nodiscard]] cells only(const cells& from, Keep keep) {
  auto kept = cells(from.size());
  for (auto i = std::size_t{0}; i < from.size(); ++i)
    if (keep(i))
      kept[i] = from[i];
  return kept;
}

} // namespace

/// One change under way: what it looks like, encoded once for all who see the same.
struct change_router::routed {
  const change_router::table& of;
  const storage::row_change& change;
  timestamp committed;
  std::size_t max_bytes;
  change_type type = type_of(change.kind());
  cells record;
  cells old;
  std::vector<storage::parameter> read; ///< owns values that were read afterwards
  std::map<wire::shown_columns, std::string> data;
  std::map<std::tuple<std::string, std::string, wire::serializer, const std::string*>,
           wire::frame>
      frames; ///< by topic, ids, version and data
  std::size_t delivered = 0;
  std::vector<const change_subscriber*> gone; ///< their sockets are closed

  /// The row that filters and rights are judged by.
  [[nodiscard]] const cells& judged() const {
    return type == change_type::remove ? old : record;
  }

  [[nodiscard]] bool has_key() const {
    return std::ranges::any_of(of.columns, &wire::change_column::key);
  }

  /// Empty when the change does not tell all of it: another row might fit the rest.
  [[nodiscard]] storage::row_key key() const {
    auto found = storage::row_key{};
    for (auto i = std::size_t{0}; i < of.columns.size(); ++i) {
      if (!of.columns[i].key)
        continue;
      if (judged()[i].what != change_cell::kind::text)
        return {};
      found.emplace_back(i, judged()[i].text);
    }
    return found;
  }

  [[nodiscard]] std::string_view text(const cells& row, std::string_view column) const {
    const auto at = std::ranges::find(of.columns, column, &wire::change_column::name);
    if (at == of.columns.end())
      return {};
    const auto& cell = row[static_cast<std::size_t>(at - of.columns.begin())];
    return cell.what == change_cell::kind::text ? cell.text : std::string_view{};
  }

  void read_rows() {
    record = cells_of(change.row(), of.shape);
    old = cells_of(change.old(), of.shape);
    if (type != change_type::update || change.old_known() != storage::old_row::none)
      return;
    // The key did not change: what the old row would tell stands in the new one.
    const auto& columns = change.table()->columns;
    old = only(record, [&](std::size_t i) {
      const auto known =
          std::ranges::find(columns, of.columns[i].name, &storage::table_column::name);
      return known != columns.end() && known->key;
    });
  }

  /// From now on the row before shows its primary key alone.
  void hide_past() {
    old = only(old, [&](std::size_t i) { return of.columns[i].key; });
    data.clear();
    frames.clear();
  }

  /// A big value that an update left alone is not in the log.
  void read_unchanged(const row_oracle& oracle) {
    auto missing = std::vector<std::size_t>{};
    for (auto i = std::size_t{0}; i < of.columns.size(); ++i)
      if (change.row().at(of.columns[i].name).state == storage::field_state::unchanged)
        missing.push_back(i);
    if (missing.empty() || key().empty())
      return;
    read = oracle.read_columns(of.shape, key(), missing);
    for (auto i = std::size_t{0}; i < std::min(missing.size(), read.size()); ++i)
      if (read[i])
        record[missing[i]] = {change_cell::kind::text, *read[i]};
  }

  [[nodiscard]] const std::string& data_for(const wire::shown_columns& shown) {
    auto& text = data[shown];
    if (text.empty())
      text =
          wire::change_json({of.shape.schema, of.shape.name, type, committed,
                             of.columns, type == change_type::remove ? cells{} : record,
                             type == change_type::insert ? cells{} : old},
                            shown, max_bytes);
    return text;
  }

  void deliver(const change_subscriber& to, const std::string& ids,
               const wire::shown_columns& shown) {
    const auto& text = data_for(shown);
    auto& frame = frames[{to.topic, ids, to.version, &text}];
    if (!frame) {
      auto payload = wire::object_writer{text.size() + ids.size() + 32};
      payload.json("ids", ids).json("data", text);
      frame = wire::encode_message(to.version, std::nullopt, std::nullopt, to.topic,
                                   "postgres_changes", payload.done());
    }
    if (to.out->push(frame))
      ++delivered;
    else
      gone.push_back(&to);
  }

  /// One frame a channel, with the ids of all its bindings that match.
  void deliver_to(const std::vector<listener>& all) {
    for (auto at = all.begin(); at != all.end();) {
      const auto* const who = at->who;
      auto ids = std::string{};
      const wire::shown_columns* shown = nullptr;
      for (; at != all.end() && at->who == who; ++at) {
        if ((at->event && *at->event != type) || !at->filter.matches(judged()))
          continue;
        ids += (ids.empty() ? "[" : ",") + std::to_string(at->id);
        shown = shown == nullptr ? &at->shown : shown;
      }
      if (shown != nullptr)
        deliver(*who, ids + ']', *shown);
    }
  }
};

std::size_t change_router::route(const storage::row_change& change, timestamp committed,
                                 const row_oracle& oracle) {
  const auto found = by_oid_.find(change.table()->oid);
  if (found == by_oid_.end())
    return 0;
  const auto& heard = audiences_[found->second];
  if (heard.everybody.empty() && heard.by_owner.empty() && heard.by_row.empty())
    return 0;
  auto what = routed{tables_[found->second],
                     change,
                     committed,
                     max_bytes_,
                     {},
                     {},
                     {},
                     {},
                     {},
                     {},
                     0,
                     {}};
  what.type = type_of(change.kind());
  what.read_rows();
  what.read_unchanged(oracle);
  what.deliver_to(heard.everybody);
  deliver_to_owner(what, heard);
  deliver_by_row(what, heard, oracle);
  forget(what.gone);
  return what.delivered;
}

/// To whom the row belongs now; a row that changed hands shows the new owner no more of
/// its past than the key. Whose deleted rows do not tell their owner, nobody hears of.
void change_router::deliver_to_owner(routed& what, const audience& heard) {
  if (heard.by_owner.empty())
    return;
  // All listeners of one rule share it: one policy, one owner column.
  const auto& column = what.of.shape.authenticated.owner;
  const auto owner = what.text(what.judged(), column);
  const auto own = heard.by_owner.find(std::string{owner});
  if (owner.empty() || own == heard.by_owner.end())
    return;
  const auto before = what.text(what.old, column);
  if (what.type == wire::change_type::remove ||
      (what.type == wire::change_type::update && before != owner))
    what.hide_past();
  what.deliver_to(own->second);
}

/// No row can be asked about: all hear that much, whatever their filters, which would
/// tell values.
void change_router::deliver_no_key(routed& what, const audience& heard) {
  auto all = heard.by_row;
  for (auto& one : all)
    one.filter = {};
  what.deliver_to(all);
}

void change_router::forget(std::span<const change_subscriber* const> gone) {
  auto names = std::vector<std::pair<name, std::optional<std::string>>>{};
  for (const auto* const who : gone)
    names.push_back({{who->socket, who->topic}, who->join_ref});
  for (const auto& [key, join_ref] : names)
    unsubscribe(key.first, key.second, join_ref);
}

/// Row security itself decides, for each who asked; of deleted rows it cannot be asked.
void change_router::deliver_by_row(routed& what, const audience& heard,
                                   const row_oracle& oracle) {
  if (heard.by_row.empty() || what.type == wire::change_type::remove)
    return;
  if (!what.has_key())
    return deliver_no_key(what, heard);
  const auto key = what.key();
  if (key.empty())
    return;
  auto whom = std::vector<std::shared_ptr<const identity>>{};
  auto asked = std::map<std::string_view, std::size_t>{}; // by claims
  for (const auto& one : heard.by_row)
    if (whom.size() < most_judged &&
        asked.try_emplace(one.who->who->claims, whom.size()).second)
      whom.push_back(one.who->who);
  const auto sees = oracle.who_sees(what.of.shape, key, whom);
  auto allowed = std::vector<listener>{};
  for (const auto& one : heard.by_row) {
    const auto at = asked.find(one.who->who->claims);
    if (at != asked.end() && at->second < sees.size() && sees[at->second])
      allowed.push_back(one);
  }
  what.hide_past();
  what.deliver_to(allowed);
}

} // namespace jessica::actors
