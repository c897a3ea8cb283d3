#include "storage/act_as.hpp"
#include "storage/chat.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <format>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {
namespace {

// What both statements tell of the conversation. It is read once, not with every turn:
// "offset 0" keeps PostgreSQL from putting its expressions where the turns are.
constexpr auto room = std::string_view{R"(
  select r.*, t.id, t.role, t.content from (
    select c.system_prompt, c.model,
      c.metadata -> 'memory' is distinct from 'false'::jsonb,
      case when c.metadata -> 'tools' = 'false'::jsonb then ''
        when jsonb_typeof(c.metadata -> 'tools') = 'array'
        then array_to_string(
          array(select jsonb_array_elements_text(c.metadata -> 'tools')), ',')
      end,
)"};

// A conversation without branches: the message and what was said before it. Most are,
// and PostgreSQL takes twice as long to prepare the walk below, even to take no step.
constexpr auto straight = std::string_view{R"(
      exists (
        select from public.messages b
        where b.conversation_id = $1 and b.after_seq is not null),
      null, null
    from public.conversations c where c.id = $1 offset 0
  ) r
  left join lateral (
    select l.*, sum(octet_length(l.content)) over (order by l.seq desc) as bytes from (
      select m.id, m.seq, m.role, m.content from public.messages m
      where m.conversation_id = $1
        and m.seq <= (
          select a.seq from public.messages a where a.id = $2 and a.conversation_id = $1)
        and m.status = 'complete' and m.content <> ''
        and m.role in ('user', 'assistant', 'system')
      order by m.seq desc limit $3
    ) l
  ) t on t.bytes - octet_length(t.content) < $4
  order by t.seq)"};

// History with branches is a few ranges of numbers: where a message says what it comes
// after, a range begins, and the next one ends there. What came after the message
// before the asked one, on whatever branch, is no memory: it may be the very answer
// that the user wants another one of.
constexpr auto walk_down = std::string_view{R"(
  with recursive asked as (
    select m.seq, coalesce(m.after_seq, m.seq - 1) as after_seq
    from public.messages m where m.id = $2 and m.conversation_id = $1
  ),
  part (first, last, after_seq) as (
    select coalesce(b.seq, 0), a.seq, coalesce(b.after_seq, 0)
    from asked a left join lateral (
      select x.seq, x.after_seq from public.messages x
      where x.conversation_id = $1 and x.after_seq is not null and x.seq <= a.seq
      order by x.seq desc limit 1
    ) b on true
    union all
    select coalesce(b.seq, 0), p.after_seq, coalesce(b.after_seq, 0)
    from part p left join lateral (
      select x.seq, x.after_seq from public.messages x
      where x.conversation_id = $1 and x.after_seq is not null and x.seq <= p.after_seq
      order by x.seq desc limit 1
    ) b on true
    where p.after_seq > 0
  )
)"};

constexpr auto walked = std::string_view{R"(
      true,
      (select left(m.content, $6) from public.messages m
        where $6 > 0 and m.id = $5 and m.conversation_id = $1),
      (select string_agg(o.id::text, ',') from (
        select x.id from asked a join public.messages x
          on x.conversation_id = $1 and x.seq > a.after_seq and x.id <> $2
        order by x.seq limit 200) o)
    from public.conversations c where c.id = $1 offset 0
  ) r
  left join lateral (
    select l.*, sum(octet_length(l.content)) over (order by l.seq desc) as bytes
    from part p cross join lateral (
      select m.id, m.seq, m.role, m.content from public.messages m
      where m.conversation_id = $1 and m.seq between p.first and p.last
        and m.status = 'complete' and m.content <> ''
        and m.role in ('user', 'assistant', 'system')
      order by m.seq desc limit $3
    ) l
    order by l.seq desc limit $3
  ) t on t.bytes - octet_length(t.content) < $4
  order by t.seq)"};

// clang-format off
enum column : std::uint8_t { // of both
  system_prompt, model, recalls, only_tools, branched, so_far, set_aside, id, role, content
};
// clang-format on

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

/// The turns of `found`, the asked message last.
[[nodiscard]] result<prompt> prompt_of(const rows& found, message_id asked) {
  if (found.size() == 0)
    return fail(errc::not_found, "no such conversation", "conversation_not_found");
  if (found.text(found.size() - 1, id) != asked.str())
    return fail(errc::not_found, "no such message", "message_not_found");
  const auto choice = [&](column which) {
    return found.null(0, which) ? std::nullopt
                                : std::optional{std::string{found.text(0, which)}};
  };
  auto read = prompt{choice(system_prompt), choice(model), {}};
  read.recalls = found.text(0, recalls) == "t";
  if (!found.null(0, only_tools))
    read.only_tools = names_of(found.text(0, only_tools));
  read.so_far = found.text(0, so_far);
  read.set_aside = read_ids(found.text(0, set_aside));
  for (auto row = 0; row < found.size(); ++row)
    read.turns.push_back(
        {std::string{found.text(row, role)}, std::string{found.text(row, content)},
         message_id::parse(found.text(row, id)).value_or(message_id{})});
  return read;
}

} // namespace

result<prompt> load_prompt(connection& db, user_id user, conversation_id conversation,
                           message_id message, prompt_limits limits,
                           const kept_text& kept) {
  const auto turns = std::to_string(std::max(limits.turns, std::size_t{1}));
  const auto bytes = std::to_string(std::max(limits.bytes, std::size_t{1}));
  if (kept.characters == 0) {
    const auto plain = db.run(
        std::array{act_as_user(user, access::read_only),
                   statement{std::format("{}{}", room, straight),
                             {conversation.str(), message.str(), turns, bytes}}});
    if (!plain)
      return std::unexpected{plain.error()};
    const auto& found = plain->at(1);
    if (found.size() == 0 || found.text(0, branched) == "f")
      return prompt_of(found, message);
  }
  const auto far = db.run(
      std::array{act_as_user(user, access::read_only),
                 statement{std::format("{}{}{}", walk_down, room, walked),
                           {conversation.str(), message.str(), turns, bytes,
                            kept.reply.str(), std::to_string(kept.characters)}}});
  if (!far)
    return std::unexpected{far.error()};
  return prompt_of(far->at(1), message);
}

} // namespace jessica::storage
