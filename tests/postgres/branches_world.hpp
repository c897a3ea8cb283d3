// A conversation whose branches a test makes, seen as clients see it.
#pragma once

#include "storage/act_as.hpp"
#include "storage/branches.hpp"
#include "storage/chat.hpp"
#include "storage/jobs.hpp"
#include "tests/postgres/seed.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace jessica::test {

struct branches_world {
  storage::connection engine{database(), storage::role::engine};
  storage::connection db{database(), storage::role::requests};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);

  branches_world() { empty_queue(); }

  /// As the engine stores it, the reply finished as "re: <text>".
  receipt say(const std::string& text, std::optional<std::string> client_id = {}) {
    const auto what = turn{ada, room, false, text, std::move(client_id), "{}"};
    auto stored = storage::enqueue(engine, {}, {&what, 1});
    REQUIRE(stored);
    REQUIRE_MESSAGE(stored->front(), stored->front().error().what);
    answer(stored->front()->reply, "re: " + text);
    return *stored->front();
  }
  void answer(message_id reply, const std::string& text) {
    admin("update public.messages set content = $2, status = 'complete' where id = $1",
          {reply.str(), text});
  }
  result<receipt> change(const branch_wish& what) {
    return storage::change_branch(db, signed_in(ada), what);
  }
  receipt edit(message_id which, const std::string& text) {
    const auto made = change(edit_wish{which, text, {}, "{}"});
    REQUIRE_MESSAGE(made, made.error().what);
    answer(made->reply, "re: " + text);
    return *made;
  }
  receipt again(message_id reply, const std::string& text) {
    const auto made = change(regenerate_wish{reply, {}});
    REQUIRE_MESSAGE(made, made.error().what);
    answer(made->reply, text);
    return *made;
  }
  void select(message_id which) { REQUIRE(change(select_wish{which})); }

  /// The user's branch: texts with "n/of" where there are versions.
  [[nodiscard]] std::string path(std::optional<message_id> until = {}) {
    return path_as(signed_in(ada), until);
  }
  [[nodiscard]] std::string path_as(const identity& who,
                                    std::optional<message_id> until = {}) {
    const auto found = db.run(std::array{
        storage::act_as(who, storage::access::read_only),
        storage::statement{R"(
            select string_agg(p.content || case when cardinality(p.siblings) > 1
                then ' ' || array_position(p.siblings, p.id) || '/' ||
                  cardinality(p.siblings) else '' end, ', ' order by p.seq)
            from public.conversation_path($1, $2) p)",
                           {room.str(), until ? storage::parameter{until->str()}
                                              : storage::parameter{}}}});
    REQUIRE_MESSAGE(found, found.error().what);
    return std::string{found->at(1).text(0, 0)};
  }
  /// One statement as the user.
  result<storage::rows> as_user(std::string sql,
                                std::vector<storage::parameter> values) {
    return db
        .run(std::array{storage::act_as(signed_in(ada), storage::access::read_write),
                        storage::statement{std::move(sql), std::move(values)}})
        .transform([](auto&& all) { return all.at(1); });
  }
  [[nodiscard]] std::string of(message_id which, std::string column) const {
    return text_of("select " + column + " from public.messages where id = $1",
                   {which.str()});
  }
  [[nodiscard]] std::string refusal(const branch_wish& what) {
    return refusal(what, signed_in(ada));
  }
  [[nodiscard]] std::string refusal(const branch_wish& what, const identity& who) {
    const auto made = storage::change_branch(db, who, what);
    return made ? "" : std::string{name(made.error().code)} + " " + made.error().reason;
  }
  [[nodiscard]] std::vector<std::string> prompt_of(message_id question) {
    const auto read = storage::load_prompt(db, ada, room, question, {20});
    REQUIRE(read);
    auto texts = std::vector<std::string>{};
    for (const auto& one : read->turns)
      texts.push_back(one.content);
    return texts;
  }
};

} // namespace jessica::test
