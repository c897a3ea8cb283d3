// Rows for tests: users and conversations of their own, so that no case sees another's.
#pragma once

#include "domain/identity.hpp"
#include "domain/ids.hpp"
#include "storage/connection.hpp"
#include "tests/fixtures/temp_postgres.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::test {

/// Runs one statement as superuser.
inline storage::rows admin(std::string sql,
                           std::vector<storage::parameter> values = {}) {
  static auto db = storage::connection{database(), storage::role::migrations};
  auto answer = db.run(storage::statement{std::move(sql), std::move(values)});
  if (!answer)
    FAIL(answer.error().what);
  return std::move(*answer);
}

/// The one number a statement gives.
inline std::int64_t number_of(std::string sql,
                              std::vector<storage::parameter> values = {}) {
  return admin(std::move(sql), std::move(values)).integer(0, 0);
}

/// The one text a statement gives.
inline std::string text_of(std::string sql,
                           std::vector<storage::parameter> values = {}) {
  return std::string{admin(std::move(sql), std::move(values)).text(0, 0)};
}

inline user_id add_user() {
  const auto id = user_id::make();
  admin("insert into auth.users (id, email) values ($1::uuid, $1::text || "
        "'@example.org')",
        {id.str()});
  return id;
}

inline conversation_id add_conversation(user_id owner) {
  const auto id = conversation_id::make();
  admin("insert into public.conversations (id, user_id) values ($1, $2)",
        {id.str(), owner.str()});
  return id;
}

/// What a verified token of that user says.
inline identity signed_in(user_id user) {
  auto who = identity{};
  who.role = db_role::authenticated;
  who.user = user;
  who.claims = R"({"sub":")" + user.str() + R"(","role":"authenticated"})";
  return who;
}

inline identity service() {
  auto who = identity{};
  who.role = db_role::service_role;
  who.claims = R"({"role":"service_role"})";
  return who;
}

/// No node and no job: the queue is one for all cases.
inline void empty_queue() {
  admin("delete from jessica.ready");
  admin("delete from jessica.running");
  admin("delete from jessica.nodes");
}

} // namespace jessica::test
