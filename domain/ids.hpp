// Strong ids: a conversation cannot be passed where a message is meant.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace jessica {

/// A UUID as 16 bytes in text order. All zero means "none".
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// Reads the canonical 36-character form, either case; anything else is nullopt.
  [[nodiscard]] static std::optional<uuid> parse(std::string_view text) noexcept;
  /// A new version 7 UUID (RFC 9562): time-ordered, random tail. Any thread.
  [[nodiscard]] static uuid make();
  /// Lower-case canonical form.
  [[nodiscard]] std::string str() const;
  [[nodiscard]] bool none() const noexcept { return *this == uuid{}; }

  friend auto operator<=>(const uuid&, const uuid&) = default;
};

/// A UUID that names one kind of row.
template <class Tag> struct uuid_of {
  uuid value;

  [[nodiscard]] static std::optional<uuid_of> parse(std::string_view text) noexcept {
    const auto parsed = uuid::parse(text);
    return parsed ? std::optional{uuid_of{*parsed}} : std::nullopt;
  }
  [[nodiscard]] static uuid_of make() { return {uuid::make()}; }
  [[nodiscard]] std::string str() const { return value.str(); }
  [[nodiscard]] bool none() const noexcept { return value.none(); }

  friend auto operator<=>(const uuid_of&, const uuid_of&) = default;
};

using user_id = uuid_of<struct user_tag>;
using auth_session_id = uuid_of<struct auth_session_tag>;
using conversation_id = uuid_of<struct conversation_tag>;
using message_id = uuid_of<struct message_tag>;

/// A row of inference_jobs.
struct job_id {
  std::int64_t value = 0;
  friend auto operator<=>(const job_id&, const job_id&) = default;
};

/// One incarnation of a node; every job it runs is fenced by it (0: none).
struct lease_id {
  std::int64_t value = 0;
  friend auto operator<=>(const lease_id&, const lease_id&) = default;
};

} // namespace jessica

template <> struct std::hash<jessica::uuid> {
  std::size_t operator()(const jessica::uuid& id) const noexcept {
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
  }
};

template <class Tag> struct std::hash<jessica::uuid_of<Tag>> {
  std::size_t operator()(const jessica::uuid_of<Tag>& id) const noexcept {
    return std::hash<jessica::uuid>{}(id.value);
  }
};

template <> struct std::hash<jessica::job_id> {
  std::size_t operator()(jessica::job_id id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
