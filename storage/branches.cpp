#include "storage/branches.hpp"

#include "storage/act_as.hpp"
#include "storage/batch_sql.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::storage {
namespace {

/// The statement of a wish, and what is missing when it is refused.
struct call {
  statement sql;
  std::string_view missing; ///< the reason
};

[[nodiscard]] call call_of(const edit_wish& what) {
  return {{R"(
      select m.conversation_id, e.message_id, e.reply_id, e.job_id
      from public.messages m, public.edit_message($1, $2, $3, $4) e
      where m.id = $1)",
           {what.message.str(), what.content, what.client_id, what.params}},
          "message_not_found"};
}

[[nodiscard]] call call_of(const regenerate_wish& what) {
  return {{R"(
      select m.conversation_id, r.message_id, r.reply_id, r.job_id
      from public.regenerate_reply($1, $2) r
      join public.messages m on m.id = r.message_id)",
           {what.reply.str(), what.params}},
          "reply_not_found"};
}

[[nodiscard]] call call_of(const continue_wish& what) {
  return {{R"(
      select m.conversation_id, r.message_id, r.reply_id, r.job_id
      from public.continue_reply($1, $2) r
      join public.messages m on m.id = r.message_id)",
           {what.reply.str(), what.params}},
          "reply_not_found"};
}

[[nodiscard]] call call_of(const select_wish& what) {
  return {{R"(
      select m.conversation_id, m.id, null, 0
      from public.messages m, public.select_branch($1)
      where m.id = $1)",
           {what.message.str()}},
          "message_not_found"};
}

[[nodiscard]] bool is_state(const error& why, std::string_view sqlstate) {
  return why.sql && why.sql->sqlstate == sqlstate;
}

/// What the functions raise, in the words of the other chat calls.
[[nodiscard]] error refusal(error why, std::string_view missing) {
  constexpr auto deadlock = std::string_view{"40P01"};
  constexpr auto no_such_row = std::string_view{"23503"}; // deleted meanwhile
  if (is_locked(why) || is_state(why, deadlock)) {
    why.code = errc::overloaded;
    why.reason = "conversation_busy";
  } else if (why.code == errc::forbidden || is_state(why, no_such_row)) {
    why.code = errc::not_found;
    why.reason = missing;
  } else if (is_state(why, "PT409")) {
    why.code = errc::conflict;
    why.what = why.sql->message;
    why.reason = "reply_running";
  }
  return why;
}

} // namespace

result<receipt> change_branch(connection& db, const identity& who,
                              const branch_wish& what) {
  const auto asked = std::visit([](const auto& wish) { return call_of(wish); }, what);
  const auto answer = db.run(std::array{act_as(who, access::read_write), asked.sql});
  if (!answer)
    return std::unexpected{refusal(answer.error(), asked.missing)};
  const auto& found = answer->at(1);
  if (found.size() == 0)
    return fail(errc::not_found, "gone", std::string{asked.missing});
  const auto id = [&](int column) {
    return uuid::parse(found.text(0, column)).value_or(uuid{});
  };
  return receipt{.conversation = {id(0)},
                 .message = {id(1)},
                 .reply = {id(2)},
                 .job = {found.integer(0, 3)},
                 .repeated = false};
}

} // namespace jessica::storage
