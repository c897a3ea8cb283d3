#include "actors/presence.hpp"

#include "wire/json_writer.hpp"

#include <atomic>
#include <cstdint>
#include <format>
#include <utility>

namespace jessica::actors {
namespace {

/// A process's own random part, and a number.
[[nodiscard]] std::string new_ref() {
  static const auto process = uuid::make().str().substr(19); // the random tail
  static auto made = std::atomic<std::uint64_t>{0};
  return std::format("{}-{:x}", process, made.fetch_add(1, std::memory_order_relaxed));
}

/// The references go in before the client's own fields.
[[nodiscard]] std::string with_refs(std::string_view meta, std::string_view ref,
                                    const std::string* previous) {
  auto text = std::format(R"({{"phx_ref":"{}")", ref);
  if (previous != nullptr)
    text += std::format(R"(,"phx_ref_prev":"{}")", *previous);
  if (meta != "{}")
    text += ',';
  return text += meta.substr(1);
}

void append_entry(std::string& to, std::string_view key, std::string_view metas) {
  wire::append_quoted(to, key);
  to += R"(:{"metas":[)";
  to += metas;
  to += "]}";
}

/// {"joins":{...},"leaves":{...}} of one key; empty: nothing on that side.
[[nodiscard]] std::string diff(std::string_view key, std::string_view joins,
                               std::string_view leaves) {
  auto text = std::string{R"({"joins":{)"};
  if (!joins.empty())
    append_entry(text, key, joins);
  text += R"(},"leaves":{)";
  if (!leaves.empty())
    append_entry(text, key, leaves);
  return text += "}}";
}

} // namespace

std::string presence::track(socket_number who, std::string_view key,
                            std::string_view meta) {
  auto& now = shown_[who];
  const auto before = now;
  const auto again = !before.ref.empty();
  if (!again) {
    now.key = key;
    sockets_[now.key].push_back(who);
  }
  now.ref = new_ref();
  now.meta = with_refs(meta, now.ref, again ? &before.ref : nullptr);
  return diff(now.key, now.meta, before.meta);
}

std::optional<std::string> presence::untrack(socket_number who) {
  const auto gone = shown_.extract(who);
  if (!gone)
    return std::nullopt;
  const auto& last = gone.mapped();
  const auto found = sockets_.find(last.key);
  std::erase(found->second, who);
  if (found->second.empty())
    sockets_.erase(found);
  return diff(last.key, {}, last.meta);
}

std::string presence::state() const {
  auto text = std::string{'{'};
  for (const auto& [key, sockets] : sockets_) {
    auto metas = std::string{};
    for (const auto socket : sockets) {
      if (!metas.empty())
        metas += ',';
      metas += shown_.at(socket).meta;
    }
    if (text.size() > 1)
      text += ',';
    append_entry(text, key, metas);
  }
  return text += '}';
}

} // namespace jessica::actors
