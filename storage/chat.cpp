#include "storage/chat.hpp"

#include "storage/act_as.hpp"
#include "storage/jobs.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto enqueue_turns = std::string_view{R"(
  select n, job_id from jessica.enqueue_batch($1, $2, $3, $4, $5, $6, $7, $8, $9))"};

// Runs after the batch in its transaction: it also sees what another connection
// committed while the batch waited for the same client_id.
constexpr auto find_first = std::string_view{R"(
  select n, conversation_id, message_id, reply_id, job_id
  from jessica.find_sends($1, $2))"};

constexpr auto finish_replies = std::string_view{R"(
  select jessica.finish_jobs($1, $2, $3, $4, $5))"};

constexpr auto save_texts = std::string_view{R"(
  select jessica.checkpoint($1, $2, $3, array_fill(null::jsonb, array[$4::int])))"};

constexpr auto read_prompt = std::string_view{R"(
  select c.system_prompt, c.model, t.role, t.content, t.id = $2
  from public.conversations c
  left join lateral (
    select m.id, m.seq, m.role, m.content from public.messages m
    where m.conversation_id = c.id
      and m.seq <= (select asked.seq from public.messages asked
                    where asked.id = $2 and asked.conversation_id = c.id)
      and m.status = 'complete' and m.content <> ''
      and m.role in ('user', 'assistant', 'system')
    order by m.seq desc limit $3
  ) t on true
  where c.id = $1
  order by t.seq)"};

[[nodiscard]] parameter number(std::int64_t value) {
  return std::to_string(value);
}

/// One array parameter: what `field` says of each item.
template <class Items, class Field>
[[nodiscard]] parameter array_of(const Items& items, Field field) {
  auto texts = std::vector<parameter>{};
  texts.reserve(items.size());
  for (const auto& item : items)
    texts.push_back(field(item));
  return array_literal(texts);
}

/// The rows themselves were refused: one of them alone may pass.
[[nodiscard]] bool is_fault_of_data(const error& failure) {
  return failure.code != errc::unavailable && failure.code != errc::timeout &&
         failure.code != errc::overloaded;
}

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
    statements.push_back({std::string{find_first}, {authors, client_ids}});
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

[[nodiscard]] std::vector<job_id> read_jobs(const rows& found) {
  auto jobs = std::vector<job_id>{};
  for (auto row = 0; row < found.size(); ++row)
    jobs.push_back({found.integer(row, 0)});
  return jobs;
}

[[nodiscard]] std::string usage_json(const usage& used) {
  return R"({"prompt_tokens":)" + std::to_string(used.prompt_tokens) +
         R"(,"completion_tokens":)" + std::to_string(used.completion_tokens) +
         R"(,"estimated":)" + (used.estimated ? "true}" : "false}");
}

[[nodiscard]] result<std::vector<job_id>>
finish_together(connection& db, lease_id lease, std::span<const outcome> outcomes) {
  return db
      .run({std::string{finish_replies},
            {number(lease.value),
             array_of(outcomes, [](auto& what) { return number(what.job.value); }),
             array_of(outcomes,
                      [](auto& what) { return what.cancelled ? "cancelled" : "done"; }),
             array_of(outcomes, [](auto& what) { return what.content; }),
             array_of(outcomes, [](auto& what) { return usage_json(what.used); })}})
      .transform(read_jobs);
}

[[nodiscard]] result<std::vector<job_id>>
save_together(connection& db, lease_id lease, std::span<const checkpoint> checkpoints) {
  return db
      .run({std::string{save_texts},
            {number(lease.value),
             array_of(checkpoints, [](auto& what) { return number(what.job.value); }),
             array_of(checkpoints, [](auto& what) { return what.partial; }),
             std::to_string(checkpoints.size())}})
      .transform(read_jobs);
}

/// `together` on all; when the data is at fault on each alone, and `refused` on each
/// that fails even so.
template <class Item, class Together, class Refused>
[[nodiscard]] result<std::vector<job_id>>
all_or_each(std::span<const Item> items, Together together, Refused refused) {
  if (items.empty())
    return std::vector<job_id>{};
  auto kept = together(items);
  if (kept || !is_fault_of_data(kept.error()))
    return kept;
  auto jobs = std::vector<job_id>{};
  for (const auto& item : items) {
    auto alone = items.size() == 1 ? std::move(kept) : together(std::span{&item, 1});
    if (alone)
      jobs.insert(jobs.end(), alone->begin(), alone->end());
    else if (!is_fault_of_data(alone.error()))
      return alone;
    else if (auto told = refused(item); !told)
      return std::unexpected{std::move(told.error())};
  }
  return jobs;
}

} // namespace

result<std::vector<result<receipt>>> enqueue(connection& db, lease_id lease,
                                             std::span<const turn> turns) {
  if (turns.empty())
    return std::vector<result<receipt>>{};
  auto stored = enqueue_together(db, lease, turns);
  if (stored || turns.size() == 1 || !is_fault_of_data(stored.error()))
    return stored;
  return enqueue_singly(db, lease, turns);
}

result<std::vector<job_id>> finish(connection& db, lease_id lease,
                                   std::span<const outcome> outcomes) {
  const auto together = [&](auto some) { return finish_together(db, lease, some); };
  // A text that cannot be stored would keep its job running for ever.
  const auto refused = [&](const outcome& what) -> result<void> {
    const auto why = failure{what.job, "the reply could not be stored", false};
    return fail_jobs(db, lease, {&why, 1}).transform([](auto&&) {});
  };
  return all_or_each(outcomes, together, refused);
}

result<std::vector<job_id>> save(connection& db, lease_id lease,
                                 std::span<const checkpoint> checkpoints) {
  const auto together = [&](auto some) { return save_together(db, lease, some); };
  return all_or_each(checkpoints, together,
                     [](const checkpoint&) -> result<void> { return {}; });
}

result<prompt> load_prompt(connection& db, user_id user, conversation_id conversation,
                           message_id message, std::size_t turns) {
  const auto statements =
      std::array{act_as_user(user, access::read_only),
                 statement{std::string{read_prompt},
                           {conversation.str(), message.str(),
                            std::to_string(std::max(turns, std::size_t{1}))}}};
  const auto answer = db.run(statements);
  if (!answer)
    return std::unexpected{answer.error()};
  const auto& found = answer->at(1);
  if (found.size() == 0)
    return fail(errc::not_found, "no such conversation", "conversation_not_found");
  if (found.text(found.size() - 1, 4) != "t")
    return fail(errc::not_found, "no such message", "message_not_found");
  const auto choice = [&](int column) {
    return found.null(0, column) ? std::nullopt
                                 : std::optional{std::string{found.text(0, column)}};
  };
  auto read = prompt{choice(0), choice(1), {}};
  for (auto row = 0; row < found.size(); ++row)
    read.turns.push_back(
        {std::string{found.text(row, 2)}, std::string{found.text(row, 3)}});
  return read;
}

} // namespace jessica::storage
