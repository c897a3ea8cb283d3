#include "engines/call_pieces.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace jessica::engines {
namespace {

constexpr auto most_id_bytes = std::size_t{128};
constexpr auto most_name_bytes = std::size_t{128};

[[nodiscard]] std::string made_up_id() {
  return "call_" + message_id::make().str();
}

} // namespace

call_pieces::growing* call_pieces::find(const call_piece& piece) {
  auto backwards = calls_ | std::views::reverse;
  const auto last = piece.index
                        ? std::ranges::find(backwards, piece.index, &growing::index)
                        : backwards.begin();
  if (last == backwards.end())
    return nullptr;
  const auto& known = last->call;
  if (!piece.id.empty() && !known.id.empty() && piece.id != known.id)
    return nullptr; // servers that number all their calls 0
  if (!piece.index && !piece.name.empty() && !known.name.empty() &&
      (piece.id.empty() || known.id.empty()))
    return nullptr;
  return &*last;
}

std::optional<provider_fault> call_pieces::add(call_piece piece) {
  bytes_ += piece.arguments.size();
  if (bytes_ > most_bytes || piece.name.size() > most_name_bytes)
    return provider_fault{fault_kind::too_long, "a call of a tool without end"};
  auto* to = find(piece);
  if (to == nullptr) {
    if (calls_.size() == most_calls)
      return provider_fault{fault_kind::too_long, "too many calls of tools at once"};
    to = &calls_.emplace_back(piece.index, tool_call{});
  }
  if (to->call.id.empty())
    to->call.id = std::move(piece.id);
  if (to->call.name.empty()) // some servers repeat it in each piece
    to->call.name = std::move(piece.name);
  to->call.arguments += piece.arguments;
  return std::nullopt;
}

bool call_pieces::has_nameless() const noexcept {
  return std::ranges::any_of(calls_,
                             [](const auto& one) { return one.call.name.empty(); });
}

std::vector<tool_call> call_pieces::finish() const {
  auto all = std::vector<tool_call>{};
  for (const auto& one : calls_) {
    auto call = one.call;
    if (call.id.empty() || call.id.size() > most_id_bytes ||
        std::ranges::contains(all, call.id, &tool_call::id))
      call.id = made_up_id();
    all.push_back(std::move(call));
  }
  return all;
}

} // namespace jessica::engines
