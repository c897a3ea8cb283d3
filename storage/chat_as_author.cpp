#include "storage/act_as.hpp"
#include "storage/chat.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto find_earlier = std::string_view{R"(
  select m.conversation_id, m.id, q.reply_id, q.job_id
  from public.messages m, public.queue_reply(m.id) q
  where m.user_id = auth.uid() and m.client_id = $1)"};

constexpr auto open_conversation = std::string_view{R"(
  insert into public.conversations (id, title)
  values ($1, public.first_title($2)))"};

constexpr auto send = std::string_view{R"(
  select $1::uuid, q.message_id, q.reply_id, q.job_id
  from public.enqueue_inference($1, $2, $3, $4) q)"};

constexpr auto stop = std::string_view{R"(
  select job_id, status from public.stop_inference($1))"};

[[nodiscard]] receipt read_receipt(const rows& found, bool repeated) {
  const auto id = [&](int column) {
    return uuid::parse(found.text(0, column)).value_or(uuid{});
  };
  return {.conversation = {id(0)},
          .message = {id(1)},
          .reply = {id(2)},
          .job = {found.integer(0, 3)},
          .repeated = repeated};
}

/// Receipts of the turns whose client_id was stored before; nullopt for the others.
[[nodiscard]] result<std::vector<std::optional<receipt>>>
find_repeated(connection& db, std::span<const turn> turns) {
  auto statements = std::vector<statement>{};
  auto place = std::vector<std::size_t>{}; // of each turn's answer; 0: not asked
  for (const auto& what : turns) {
    if (what.client_id) {
      statements.push_back(act_as_user(what.author, access::read_write));
      statements.push_back({std::string{find_earlier}, {what.client_id}});
    }
    place.push_back(what.client_id ? statements.size() : 0);
  }
  auto earlier = std::vector<std::optional<receipt>>(turns.size());
  if (statements.empty())
    return earlier;
  const auto found = db.run(statements);
  if (!found)
    return std::unexpected{found.error()};
  for (auto n = std::size_t{0}; n < turns.size(); ++n)
    if (place[n] > 0 && found->at(place[n] - 1).size() > 0)
      earlier[n] = read_receipt(found->at(place[n] - 1), true);
  return earlier;
}

/// The turns that were not sent before, in one transaction.
[[nodiscard]] result<std::vector<result<receipt>>>
send_together(connection& db, std::span<const turn> turns) {
  auto earlier = find_repeated(db, turns);
  if (!earlier)
    return std::unexpected{earlier.error()};
  auto statements = std::vector<statement>{};
  auto place = std::vector<std::size_t>{};
  for (auto n = std::size_t{0}; n < turns.size(); ++n) {
    const auto& what = turns[n];
    if (!earlier->at(n)) {
      const auto room = what.conversation.str();
      statements.push_back(act_as_user(what.author, access::read_write));
      if (what.opens)
        statements.push_back({std::string{open_conversation}, {room, what.content}});
      statements.push_back(
          {std::string{send}, {room, what.content, what.client_id, what.params}});
      // Another connection may have stored the same client_id a moment ago.
      if (what.client_id)
        statements.push_back({std::string{find_earlier}, {what.client_id}});
    }
    place.push_back(statements.size());
  }
  const auto sent = db.run(statements);
  if (!sent)
    return std::unexpected{sent.error()};
  auto receipts = std::vector<result<receipt>>{};
  for (auto n = std::size_t{0}; n < turns.size(); ++n)
    receipts.push_back(earlier->at(n) ? *earlier->at(n)
                                      : read_receipt(sent->at(place[n] - 1), false));
  return receipts;
}

/// A refusal of one turn, in the words of the other path.
[[nodiscard]] error refusal(error why) {
  if (why.code == errc::forbidden)
    why.reason = "conversation_not_found";
  return why;
}

} // namespace

result<std::vector<result<receipt>>> enqueue_as_authors(connection& db,
                                                        std::span<const turn> turns) {
  auto together = send_together(db, turns);
  if (together || !is_fault_of_data(together.error()))
    return together;
  // One refusal undid them all: each alone, so that it refuses only itself.
  auto receipts = std::vector<result<receipt>>{};
  for (const auto& what : turns) {
    auto alone = send_together(db, {&what, 1});
    if (!alone && !is_fault_of_data(alone.error()) && receipts.empty())
      return alone;
    receipts.push_back(alone ? std::move(alone->front())
                             : std::unexpected{refusal(std::move(alone.error()))});
  }
  return receipts;
}

result<stop_receipt> stop_reply(connection& db, const identity& who, message_id reply) {
  const auto answer = db.run(std::array{act_as(who, access::read_write),
                                        statement{std::string{stop}, {reply.str()}}});
  if (!answer)
    return std::unexpected{answer.error()};
  const auto& found = answer->at(1);
  if (found.size() == 0)
    return fail(errc::not_found, "no such reply", "reply_not_found");
  return stop_receipt{{found.integer(0, 0)}, std::string{found.text(0, 1)}};
}

} // namespace jessica::storage
