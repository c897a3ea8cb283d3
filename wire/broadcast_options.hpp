// What a client asks of the server about broadcasts: that one be stored, that a join
// begin with stored ones.
#pragma once

#include "domain/error.hpp"

#include <boost/json/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jessica::wire {

/// How many stored broadcasts a join may ask for.
inline constexpr auto most_replayed = std::size_t{25};

/// Store the broadcast; with `ttl` it is gone after that time.
struct persist_wish {
  std::optional<std::chrono::seconds> ttl;

  friend bool operator==(const persist_wish&, const persist_wish&) = default;
};

/// `persist` of a message's metadata: true, or {"ttl": seconds}; nullopt: it is not to
/// be stored. Fails: invalid_input with the text the client reads.
[[nodiscard]] result<std::optional<persist_wish>>
read_persist(std::string_view metadata);

/// The seconds of a ttl written in digits, as in a query. Fails as read_persist.
[[nodiscard]] result<persist_wish> read_ttl(std::string_view digits);

/// The newest `limit` broadcasts that were stored at or after `since`.
struct replay_wish {
  std::chrono::milliseconds since{0}; ///< after 1970-01-01 UTC
  std::size_t limit = most_replayed;

  friend bool operator==(const replay_wish&, const replay_wish&) = default;
};

/// `replay` of a join's config.broadcast; nullopt when absent. Fails: invalid_input,
/// reason `unable_to_replay`, with the text the client reads.
[[nodiscard]] result<std::optional<replay_wish>>
read_replay(const boost::json::object& broadcast);

} // namespace jessica::wire
