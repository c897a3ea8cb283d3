#include "storage/batch_sql.hpp"
#include "storage/chat.hpp"
#include "storage/quota.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto enqueue_turns = std::string_view{R"(
  select n, job_id, refused from jessica.enqueue_batch($1, $2, $3, $4, $5, $6, $7, $8, $9))"};

// Runs after the batch in its transaction: it also sees what another connection
// committed while the batch waited for the same client_id.
constexpr auto find_first = std::string_view{R"(
  select n, conversation_id, message_id, reply_id, job_id
  from jessica.find_sends($1, $2, $3))"};

template <class Id> [[nodiscard]] Id id_at(const rows& found, int row, int column) {
  return Id::parse(found.text(row, column)).value_or(Id{});
}

/// A receipt a turn, with the ids it gets if it is stored now.
[[nodiscard]] std::vector<receipt> make_ids(std::span<const turn> turns) {
  auto made = std::vector<receipt>{};
  made.reserve(turns.size());
  for (const auto& what : turns)
    made.push_back({.conversation = what.conversation,
                    .message = message_id::make(),
                    .reply = message_id::make(),
                    .job = {},
                    .repeated = false});
  return made;
}

[[nodiscard]] std::vector<statement>
enqueue_statements(lease_id lease, std::span<const turn> turns,
                   const std::vector<receipt>& made) {
  const auto authors = array_of(turns, [](auto& what) { return what.author.str(); });
  const auto client_ids = array_of(turns, [](auto& what) { return what.client_id; });
  auto statements = std::vector<statement>{};
  statements.push_back(
      {std::string{enqueue_turns},
       {lease.value == 0 ? parameter{} : number(lease.value), authors,
        array_of(turns, [](auto& what) { return what.conversation.str(); }),
        array_of(made, [](auto& ids) { return ids.message.str(); }),
        array_of(made, [](auto& ids) { return ids.reply.str(); }),
        array_of(turns, [](auto& what) { return what.content; }), client_ids,
        array_of(turns, [](auto& what) { return what.params; }),
        array_of(turns, [](auto& what) { return what.opens ? "t" : "f"; })}});
  if (std::ranges::any_of(turns, [](auto& what) { return what.client_id.has_value(); }))
    statements.push_back(
        {std::string{find_first}, {authors, client_ids, array_of(made, [](auto& ids) {
                                     return ids.message.str();
                                   })}});
  return statements;
}

/// The whole batch in one transaction.
[[nodiscard]] result<std::vector<result<receipt>>>
enqueue_together(connection& db, lease_id lease, std::span<const turn> turns) {
  const auto made = make_ids(turns);
  const auto stored = db.run(enqueue_statements(lease, turns, made));
  if (!stored)
    return std::unexpected{stored.error()};
  auto receipts = std::vector<result<receipt>>(
      turns.size(), fail(errc::forbidden, "the conversation is not the author's",
                         "conversation_not_found"));
  const auto place = [](const rows& found, int row) {
    return static_cast<std::size_t>(found.integer(row, 0)) -
           1; // ordinality starts at 1
  };
  const auto& fresh = stored->front();
  for (auto row = 0; row < fresh.size(); ++row) {
    const auto n = place(fresh, row);
    if (const auto refused = fresh.text(row, 2); !refused.empty()) {
      receipts.at(n) = std::unexpected{quota_fault(refused)};
      continue;
    }
    receipts.at(n) = made.at(n);
    receipts.at(n)->job = {fresh.integer(row, 1)};
  }
  if (stored->size() == 1)
    return receipts;
  const auto& first = stored->at(1);
  for (auto row = 0; row < first.size(); ++row)
    if (auto& answer = receipts.at(place(first, row)); !answer)
      answer = receipt{.conversation = id_at<conversation_id>(first, row, 1),
                       .message = id_at<message_id>(first, row, 2),
                       .reply = id_at<message_id>(first, row, 3),
                       .job = {first.integer(row, 4)},
                       .repeated = true};
  return receipts;
}

/// One transaction a turn, so that only the turn at fault fails. When the database goes
/// away the rest is not tried.
[[nodiscard]] std::vector<result<receipt>>
enqueue_singly(connection& db, lease_id lease, std::span<const turn> turns) {
  auto receipts = std::vector<result<receipt>>{};
  for (const auto& what : turns) {
    if (!receipts.empty() && !receipts.back() &&
        !is_fault_of_data(receipts.back().error())) {
      receipts.push_back(receipts.back());
      continue;
    }
    auto alone = enqueue_together(db, lease, {&what, 1});
    receipts.push_back(alone ? std::move(alone->front())
                             : std::unexpected{std::move(alone.error())});
  }
  return receipts;
}

/// The turns of conversations that nobody holds locked; the others are told to come
/// again.
[[nodiscard]] result<std::vector<result<receipt>>>
enqueue_unlocked(connection& db, lease_id lease, std::span<const turn> turns) {
  const auto found =
      db.run({"select jessica.locked($1)",
              {array_of(turns, [](auto& what) { return what.conversation.str(); })}});
  if (!found)
    return std::unexpected{found.error()};
  auto locked = std::unordered_set<std::string>{};
  for (auto row = 0; row < found->size(); ++row)
    locked.emplace(found->text(row, 0));
  auto receipts = std::vector<result<receipt>>(
      turns.size(), fail(errc::overloaded, "somebody holds the conversation locked",
                         "conversation_busy"));
  auto some = std::vector<turn>{};
  auto places = std::vector<std::size_t>{};
  for (auto n = std::size_t{0}; n < turns.size(); ++n)
    if (!locked.contains(turns[n].conversation.str())) {
      some.push_back(turns[n]);
      places.push_back(n);
    }
  if (some.empty())
    return receipts;
  auto stored = enqueue_together(db, lease, some);
  auto answers = stored ? std::move(*stored) : enqueue_singly(db, lease, some);
  for (auto n = std::size_t{0}; n < places.size(); ++n)
    receipts[places[n]] = std::move(answers[n]);
  return receipts;
}

} // namespace

bool is_fault_of_data(const error& failure) noexcept {
  return failure.code != errc::unavailable && failure.code != errc::timeout &&
         failure.code != errc::overloaded;
}

result<std::vector<result<receipt>>> enqueue(connection& db, lease_id lease,
                                             std::span<const turn> turns) {
  if (turns.empty())
    return std::vector<result<receipt>>{};
  auto stored = enqueue_together(db, lease, turns);
  if (!stored && is_locked(stored.error()))
    return enqueue_unlocked(db, lease, turns);
  if (stored || turns.size() == 1 || !is_fault_of_data(stored.error()))
    return stored;
  return enqueue_singly(db, lease, turns);
}

} // namespace jessica::storage
