#include "actors/change_router.hpp"

#include "wire/json_writer.hpp"

#include <algorithm>
#include <string_view>

namespace jessica::actors {
namespace {

using rule = storage::realtime_policy::rule;

[[nodiscard]] bool is_service(const change_subscriber& who) {
  return who.who->role == db_role::service_role;
}

/// The policy of a subscriber's role; the service role has none.
[[nodiscard]] const storage::realtime_policy&
policy_of(const storage::realtime_table& table, const change_subscriber& who) {
  return who.who->role == db_role::anon ? table.anon : table.authenticated;
}

[[nodiscard]] bool may_see(const storage::realtime_table& table,
                           const change_subscriber& who, std::string_view column) {
  return is_service(who) ||
         std::ranges::contains(policy_of(table, who).columns, column);
}

/// The columns a binding shows: what it selects, keys always, of what the role may see.
[[nodiscard]] result<wire::shown_columns>
shown_of(const storage::realtime_table& table, const change_subscriber& who,
         const wire::change_binding& binding) {
  for (const auto& wanted : binding.select)
    if (!std::ranges::contains(table.columns, wanted,
                               &storage::realtime_column::name) ||
        !may_see(table, who, wanted))
      return fail(errc::invalid_input, "column does not exist: " + wanted);
  auto shown = wire::shown_columns{};
  for (const auto& column : table.columns)
    shown.push_back(may_see(table, who, column.name) &&
                    (binding.select.empty() || column.key ||
                     std::ranges::contains(binding.select, column.name)));
  return shown;
}

} // namespace

void change_router::set_tables(std::vector<storage::realtime_table> tables) {
  tables_.clear();
  by_oid_.clear();
  for (auto& shape : tables) {
    auto columns = std::vector<wire::change_column>{};
    for (const auto& column : shape.columns)
      columns.push_back({column.name, column.type, column.key});
    by_oid_.emplace(shape.oid, tables_.size());
    tables_.push_back({std::move(shape), std::move(columns)});
  }
  rebind();
}

void change_router::rebind() {
  audiences_.clear();
  audiences_.resize(tables_.size());
  for (const auto& [key, who] : subscribers_)
    (void)bind(*who); // what no longer fits is silent from now on
}

result<void> change_router::bind_one(const change_subscriber& who, std::uint32_t id,
                                     const wire::change_binding& binding,
                                     std::size_t at) {
  const auto& [shape, columns] = tables_[at];
  auto shown = shown_of(shape, who, binding);
  if (!shown)
    return std::unexpected{std::move(shown.error())};
  // A filter on a hidden column would tell its values by what comes and what does not.
  auto visible = columns;
  for (auto& column : visible)
    if (!may_see(shape, who, column.name))
      column.name.clear();
  auto filter = wire::change_filter::parse(binding.filter, visible);
  if (!filter)
    return std::unexpected{std::move(filter.error())};
  auto heard = listener{&who, id, binding.event, std::move(*filter), std::move(*shown)};
  auto& to = audiences_[at];
  auto judged = is_service(who) ? rule::open : policy_of(shape, who).judged;
  if (judged == rule::owner && who.who->role != db_role::authenticated)
    judged = rule::sql; // auth.uid() of the others is another matter
  switch (judged) {
  case rule::none:
    break; // nothing to see, and nothing wrong with asking
  case rule::open:
    to.everybody.push_back(std::move(heard));
    break;
  case rule::owner:
    to.by_owner[who.who->user.str()].push_back(std::move(heard));
    break;
  case rule::sql:
    to.by_row.push_back(std::move(heard));
    break;
  }
  return {};
}

std::string change_router::bind(const change_subscriber& who) {
  auto problem = std::string{};
  for (auto i = std::size_t{0}; i < who.bindings.size(); ++i) {
    const auto& binding = who.bindings[i];
    auto fits = false;
    for (auto at = std::size_t{0}; at < tables_.size(); ++at) {
      const auto& shape = tables_[at].shape;
      if (shape.schema != binding.schema ||
          (binding.table && shape.name != *binding.table))
        continue;
      fits = true;
      const auto bound = bind_one(who, static_cast<std::uint32_t>(i + 1), binding, at);
      if (!bound && problem.empty())
        problem = "Unable to subscribe to changes with given parameters. " +
                  bound.error().what + ": " + wire::describe(binding);
    }
    if (!fits && problem.empty())
      problem = "Unable to subscribe to changes with given parameters. Please check "
                "Realtime is enabled for the given connect parameters: " +
                wire::describe(binding);
  }
  return problem;
}

std::string change_router::subscribe(change_subscriber who) {
  const auto key = name{who.socket, who.topic};
  if (const auto known = subscribers_.find(key); known != subscribers_.end())
    unsubscribe(who.socket, who.topic, known->second->join_ref);
  auto& kept = subscribers_[key];
  kept = std::make_unique<change_subscriber>(std::move(who));
  return bind(*kept);
}

void change_router::unsubscribe(std::uint64_t socket, const std::string& topic,
                                const std::optional<std::string>& join_ref) {
  const auto found = subscribers_.find(name{socket, topic});
  if (found == subscribers_.end() || found->second->join_ref != join_ref)
    return;
  const auto* const gone = found->second.get();
  const auto is_gone = [&](const listener& one) { return one.who == gone; };
  for (auto& to : audiences_) {
    std::erase_if(to.everybody, is_gone);
    std::erase_if(to.by_row, is_gone);
    if (const auto own = to.by_owner.find(gone->who->user.str());
        own != to.by_owner.end()) {
      std::erase_if(own->second, is_gone);
      if (own->second.empty())
        to.by_owner.erase(own);
    }
  }
  subscribers_.erase(found);
}

void change_router::drop_all(std::string_view reason) {
  auto payload = wire::object_writer{};
  payload.text("reason", reason);
  const auto why = payload.done();
  for (const auto& [key, who] : subscribers_)
    who->out->push(wire::encode_message(who->version, who->join_ref, who->join_ref,
                                        who->topic, "phx_error", why));
  subscribers_.clear();
  audiences_.clear();
  audiences_.resize(tables_.size());
}

} // namespace jessica::actors
