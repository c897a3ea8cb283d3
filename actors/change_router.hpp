// Who is told of a changed row: the subscriptions of a node and the rules of row
// security, in one place. No CAF, no sockets.
#pragma once

#include "actors/outbox.hpp"
#include "domain/identity.hpp"
#include "storage/change.hpp"
#include "storage/realtime_tables.hpp"
#include "wire/change_binding.hpp"
#include "wire/change_filter.hpp"
#include "wire/change_json.hpp"
#include "wire/phoenix.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jessica::actors {

/// One channel of one socket that follows changes.
struct change_subscriber {
  std::uint64_t socket = 0;
  outbox_ptr out;
  wire::serializer version = wire::serializer::v2;
  std::string topic; ///< as the client spells it
  std::optional<std::string> join_ref;
  std::shared_ptr<const identity> who;
  std::vector<wire::change_binding> bindings; ///< binding i has id i + 1
};

/// What only the database knows.
struct row_oracle {
  /// Who of these sees the row, by its key.
  std::function<std::vector<bool>(const storage::realtime_table&,
                                  const storage::row_key&,
                                  std::span<const std::shared_ptr<const identity>>)>
      who_sees;
  /// Values that a change left out because they did not change.
  std::function<std::vector<storage::parameter>(const storage::realtime_table&,
                                                const storage::row_key&,
                                                std::span<const std::size_t>)>
      read_columns;
};

/// Knows tables, subscribers and their rights; turns a change into frames. One thread
/// at a time.
class change_router {
public:
  explicit change_router(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// The published tables as they are from now on; every subscription is judged anew.
  void set_tables(std::vector<storage::realtime_table> tables);

  /// Adds a subscriber, or replaces the one of its socket and topic. What is wrong with
  /// its bindings as the client shall read it; empty: nothing.
  [[nodiscard]] std::string subscribe(change_subscriber who);
  /// Of another join than this one: nothing happens.
  void unsubscribe(std::uint64_t socket, const std::string& topic,
                   const std::optional<std::string>& join_ref);
  /// Forgets everybody, after telling them that their channel has failed: they join
  /// again, and read what they may have missed.
  void drop_all(std::string_view reason);

  /// Sends the change to whoever asked for it and may see it; how many there were.
  /// Whose socket is found closed is a subscriber no more.
  std::size_t route(const storage::row_change& change, timestamp committed,
                    const row_oracle& oracle);

  [[nodiscard]] std::size_t subscribers() const noexcept { return subscribers_.size(); }

private:
  using name = std::pair<std::uint64_t, std::string>; ///< socket and topic
  struct table {
    storage::realtime_table shape;
    std::vector<wire::change_column> columns;
  };
  /// A binding that fits a table.
  struct listener {
    const change_subscriber* who = nullptr;
    std::uint32_t id = 0; ///< of the binding, as the client knows it
    std::optional<wire::change_type> event;
    wire::change_filter filter;
    wire::shown_columns shown;
  };
  struct audience {
    std::unordered_map<std::string, std::vector<listener>> by_owner; ///< rule owner
    std::vector<listener> by_row;                                    ///< rule sql
    std::vector<listener> everybody; ///< rule open, and the service role
  };
  struct routed; ///< one change under way

  static void deliver_to_owner(routed& what, const audience& heard);
  static void deliver_by_row(routed& what, const audience& heard,
                             const row_oracle& oracle);
  static void deliver_no_key(routed& what, const audience& heard);
  void forget(std::span<const change_subscriber* const> gone);

  [[nodiscard]] std::string bind(const change_subscriber& who);
  [[nodiscard]] result<void> bind_one(const change_subscriber& who, std::uint32_t id,
                                      const wire::change_binding& binding,
                                      std::size_t at);
  void rebind();

  std::size_t max_bytes_;
  std::vector<table> tables_;
  std::vector<audience> audiences_; ///< one a table
  std::unordered_map<std::uint32_t, std::size_t> by_oid_;
  std::map<name, std::unique_ptr<change_subscriber>> subscribers_;
};

} // namespace jessica::actors
