#include "storage/titles.hpp"

#include "storage/act_as.hpp"

#include <array>

namespace jessica::storage {
namespace {

/// Both say in one way what a title is that nobody chose.
constexpr auto read_untitled = std::string_view{R"(
  select q.content, coalesce(r.content, '')
  from public.conversations c
  cross join lateral (
    select m.seq, m.content from public.messages m
    where m.conversation_id = c.id and m.role = 'user' order by m.seq limit 1
  ) q
  left join lateral (
    select m.content from public.messages m
    where m.conversation_id = c.id and m.seq > q.seq and m.role = 'assistant'
      and m.status = 'complete' order by m.seq limit 1
  ) r on true
  where c.id = $1 and coalesce(c.title, '') in ('', public.first_title(q.content)))"};

constexpr auto write_title = std::string_view{R"(
  update public.conversations c set title = $2
  where c.id = $1 and coalesce(c.title, '') in ('', (
    select public.first_title(m.content) from public.messages m
    where m.conversation_id = c.id and m.role = 'user' order by m.seq limit 1))
  returning true)"};

} // namespace

result<std::optional<first_exchange>> load_untitled(connection& db, user_id owner,
                                                    conversation_id which) {
  const auto statements =
      std::array{act_as_user(owner, access::read_only),
                 statement{std::string{read_untitled}, {which.str()}}};
  return db.run(statements)
      .transform([](const auto& answer) -> std::optional<first_exchange> {
        const auto& found = answer.at(1);
        if (found.size() == 0)
          return std::nullopt;
        return first_exchange{std::string{found.text(0, 0)},
                              std::string{found.text(0, 1)}};
      });
}

result<bool> store_title(connection& db, user_id owner, conversation_id which,
                         std::string_view title) {
  const auto statements = std::array{
      act_as_user(owner, access::read_write),
      statement{std::string{write_title}, {which.str(), std::string{title}}}};
  return db.run(statements).transform([](const auto& answer) {
    return answer.at(1).size() > 0;
  });
}

} // namespace jessica::storage
