#include "storage/act_as.hpp"
#include "storage/chat.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {
namespace {

// Without a branch before it, the message's history is what was said before. Else it is
// a few ranges of numbers: where a message says what it comes after, a range begins,
// and the next one ends there. What came after the message before the asked one, on
// whatever branch, is no memory: it may be the very answer that the user wants another
// one of.
constexpr auto read_prompt = std::string_view{R"(
  with recursive asked as (
    select m.seq, coalesce(m.after_seq, m.seq - 1) as after_seq, b.seq as branch,
      b.after_seq as branch_after
    from public.messages m left join lateral (
      select x.seq, x.after_seq from public.messages x
      where x.conversation_id = $1 and x.after_seq is not null and x.seq <= m.seq
      order by x.seq desc limit 1
    ) b on true
    where m.id = $2 and m.conversation_id = $1
  ),
  part (first, last, after_seq) as (
    select a.branch, a.seq, a.branch_after from asked a where a.branch is not null
    union all
    select coalesce(b.seq, 0), p.after_seq, coalesce(b.after_seq, 0)
    from part p left join lateral (
      select x.seq, x.after_seq from public.messages x
      where x.conversation_id = $1 and x.after_seq is not null and x.seq <= p.after_seq
      order by x.seq desc limit 1
    ) b on true
    where p.after_seq > 0
  )
  select c.system_prompt, c.model, t.role, t.content, t.id = $2, t.id,
    c.metadata -> 'memory' is distinct from 'false'::jsonb,
    case when c.metadata -> 'tools' = 'false'::jsonb then ''
      when jsonb_typeof(c.metadata -> 'tools') = 'array'
      then array_to_string(array(select jsonb_array_elements_text(c.metadata -> 'tools')), ',')
    end,
    case when $5 > 0 then (
      select left(r.content, $5) from public.messages r
      where r.id = $4 and r.conversation_id = c.id) end,
    case when $5 > 0 or exists (
        select from public.messages b
        where b.conversation_id = c.id and b.after_seq is not null)
      then (
        select string_agg(o.id::text, ',') from (
          select x.id from asked a join public.messages x
            on x.conversation_id = c.id and x.seq > a.after_seq and x.id <> $2
          order by x.seq limit 200) o)
    end
  from public.conversations c
  left join lateral (
    (select m.id, m.seq, m.role, m.content from public.messages m
    where m.conversation_id = c.id
      and m.seq <= (select a.seq from asked a where a.branch is null)
      and m.status = 'complete' and m.content <> ''
      and m.role in ('user', 'assistant', 'system')
    order by m.seq desc limit $3)
    union all
    (select l.id, l.seq, l.role, l.content
    from part p cross join lateral (
      select m.id, m.seq, m.role, m.content from public.messages m
      where m.conversation_id = $1 and m.seq between p.first and p.last
        and m.status = 'complete' and m.content <> ''
        and m.role in ('user', 'assistant', 'system')
      order by m.seq desc limit $3
    ) l
    order by l.seq desc limit $3)
  ) t on true
  where c.id = $1
  order by t.seq)"};

/// Names between commas, which no tool has in its own.
[[nodiscard]] std::vector<std::string> names_of(std::string_view list) {
  auto names = std::vector<std::string>{};
  for (const auto one : std::views::split(list, ','))
    names.emplace_back(std::string_view{one});
  return names;
}

/// Of ids with commas between them.
[[nodiscard]] std::vector<message_id> read_ids(std::string_view text) {
  auto ids = std::vector<message_id>{};
  for (const auto one : std::views::split(text, ','))
    if (const auto id = message_id::parse(std::string_view{one}))
      ids.push_back(*id);
  return ids;
}

} // namespace

result<prompt> load_prompt(connection& db, user_id user, conversation_id conversation,
                           message_id message, std::size_t turns,
                           const kept_text& kept) {
  const auto statements =
      std::array{act_as_user(user, access::read_only),
                 statement{std::string{read_prompt},
                           {conversation.str(), message.str(),
                            std::to_string(std::max(turns, std::size_t{1})),
                            kept.reply.str(), std::to_string(kept.characters)}}};
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
  read.recalls = found.text(0, 6) == "t";
  if (!found.null(0, 7))
    read.only_tools = names_of(found.text(0, 7));
  read.so_far = found.text(0, 8);
  read.set_aside = read_ids(found.text(0, 9));
  for (auto row = 0; row < found.size(); ++row)
    read.turns.push_back(
        {std::string{found.text(row, 2)}, std::string{found.text(row, 3)},
         message_id::parse(found.text(row, 5)).value_or(message_id{})});
  return read;
}

} // namespace jessica::storage
