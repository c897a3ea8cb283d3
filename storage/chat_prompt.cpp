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

constexpr auto read_prompt = std::string_view{R"(
  select c.system_prompt, c.model, t.role, t.content, t.id = $2, t.id,
    c.metadata -> 'memory' is distinct from 'false'::jsonb,
    case when c.metadata -> 'tools' = 'false'::jsonb then ''
      when jsonb_typeof(c.metadata -> 'tools') = 'array'
      then array_to_string(array(select jsonb_array_elements_text(c.metadata -> 'tools')), ',')
    end
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

/// Names between commas, which no tool has in its own.
[[nodiscard]] std::vector<std::string> names_of(std::string_view list) {
  auto names = std::vector<std::string>{};
  for (const auto one : std::views::split(list, ','))
    names.emplace_back(std::string_view{one});
  return names;
}

} // namespace

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
  read.recalls = found.text(0, 6) == "t";
  if (!found.null(0, 7))
    read.only_tools = names_of(found.text(0, 7));
  for (auto row = 0; row < found.size(); ++row)
    read.turns.push_back(
        {std::string{found.text(row, 2)}, std::string{found.text(row, 3)},
         message_id::parse(found.text(row, 5)).value_or(message_id{})});
  return read;
}

} // namespace jessica::storage
