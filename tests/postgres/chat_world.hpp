// A user with a conversation, and who stores what is said in it.
#pragma once

#include "storage/chat.hpp"
#include "storage/jobs.hpp"
#include "storage/session.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace jessica::test {

struct chat_world {
  storage::connection db{database(), storage::role::engine};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);

  [[nodiscard]] turn say(std::string text,
                         std::optional<std::string> client_id = {}) const {
    return {ada, room, false, std::move(text), std::move(client_id), "{}"};
  }
  [[nodiscard]] std::vector<result<receipt>> send(const std::vector<turn>& turns,
                                                  lease_id lease = {}) {
    auto stored = storage::enqueue(db, lease, turns);
    REQUIRE(stored);
    REQUIRE(stored->size() == turns.size());
    return std::move(*stored);
  }
  [[nodiscard]] receipt send_one(const turn& what, lease_id lease = {}) {
    auto stored = send({what}, lease);
    REQUIRE(stored.front());
    return *stored.front();
  }
  [[nodiscard]] lease_id join() {
    const auto lease = storage::join_node(db, "test", std::chrono::seconds{10});
    REQUIRE(lease);
    return *lease;
  }
  [[nodiscard]] std::int64_t messages_of(user_id user) const {
    return number_of("select count(*) from public.messages where user_id = $1",
                     {user.str()});
  }
  [[nodiscard]] std::string reply_text(const receipt& what, std::string column) const {
    return text_of("select " + column + " from public.messages where id = $1",
                   {what.reply.str()});
  }
  [[nodiscard]] std::string job_text(const receipt& what, std::string column) const {
    return text_of("select " + column + " from public.inference_jobs where id = $1",
                   {std::to_string(what.job.value)});
  }
};

[[nodiscard]] inline bool is_refused(const result<receipt>& answer) {
  return !answer && answer.error().code == errc::forbidden &&
         answer.error().reason == "conversation_not_found";
}

/// One word an outcome: stored, not ours, or to be tried again.
[[nodiscard]] inline std::string
kept(const result<std::vector<result<bool>>>& answers) {
  REQUIRE(answers);
  auto words = std::string{};
  for (const auto& one : *answers)
    words += !one ? "later " : *one ? "yes " : "no ";
  return words;
}

} // namespace jessica::test
