#include "storage/flow_state.hpp"

#include "storage/account_row.hpp"
#include "storage/auth_session.hpp"

#include <array>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto begin = std::string_view{R"(
  insert into auth.flow_state
    (id, user_id, code_challenge, code_challenge_method, authentication_method)
  values ($1, $2, $3, $4, $5))"};

constexpr auto issue_code = std::string_view{R"(
  update auth.flow_state set auth_code_hash = $2, auth_code_issued_at = now()
  where id = $1 returning id)"};

constexpr auto find_flow = std::string_view{R"(
  select f.id, f.user_id, f.code_challenge, f.code_challenge_method,
    f.authentication_method,
    f.auth_code_issued_at + make_interval(secs => $2) <= now(),
    coalesce(u.banned_until > now(), false)
  from auth.flow_state f
  join auth.users u on u.id = f.user_id and u.deleted_at is null
  where f.auth_code_hash = $1)"};

constexpr auto end_flow =
    std::string_view{"delete from auth.flow_state where id = $1 returning id"};

constexpr auto note_sign_in = std::string_view{R"(
  update auth.users u set last_sign_in_at = now(), updated_at = now()
  where u.id = $1 and u.deleted_at is null
  returning )"};

[[nodiscard]] std::unexpected<error> unknown() {
  return fail(errc::not_found, "invalid flow state, no valid flow state found",
              "flow_state_not_found");
}

/// A row of find_flow that may be exchanged, or why it may not.
[[nodiscard]] result<void> judge(const rows& found, std::string_view verifier) {
  if (found.size() == 0)
    return unknown();
  if (found.text(0, 5) == "t")
    return fail(errc::invalid_input, "invalid flow state, flow state has expired",
                "flow_state_expired");
  if (found.text(0, 6) == "t")
    return fail(errc::forbidden, "User is banned", "user_banned");
  const auto shown =
      found.text(0, 3) == "s256" ? challenge_of(verifier) : std::string{verifier};
  if (!same_secret(shown, found.text(0, 2)))
    return fail(errc::invalid_input,
                "code challenge does not match previously saved code verifier",
                "bad_code_verifier");
  return {};
}

} // namespace

statement begin_flow(std::string id, user_id user, const pkce_challenge& challenge,
                     std::string_view method) {
  return {std::string{begin},
          {std::move(id), user.str(), challenge.text,
           challenge.hashed ? "s256" : "plain", std::string{method}}};
}

statement continue_flow(std::string_view id, std::string_view auth_code) {
  return {std::string{issue_code}, {std::string{id}, hash_token(auth_code)}};
}

result<session_grant> exchange_code(connection& db, const mail_rules& rules,
                                    std::string_view auth_code,
                                    std::string_view verifier,
                                    const client_origin& from) {
  const auto found = db.run(
      {std::string{find_flow},
       {hash_token(auth_code), std::to_string(rules.auth.flow_lifetime.count())}});
  if (!found)
    return std::unexpected{found.error()};
  if (auto good = judge(*found, verifier); !good)
    return std::unexpected{std::move(good.error())};
  const auto user = user_id::parse(found->text(0, 1)).value_or(user_id{});
  const auto opening = new_session{user, found->text(0, 4), from};
  const auto statements = std::array{
      statement{std::string{end_flow}, {std::string{found->text(0, 0)}}},
      statement{std::string{note_sign_in} + std::string{account_columns}, {user.str()}},
      opening.insert()};
  const auto done =
      db.run_judged(statements, [](const std::vector<rows>& got) -> result<bool> {
        return got[0].size() == 1 && got[1].size() == 1 && got[2].size() == 1;
      });
  if (!done)
    return std::unexpected{done.error()};
  if (done->at(0).size() != 1) // somebody else was faster
    return unknown();
  if (done->at(1).size() != 1 || done->at(2).size() != 1)
    return fail(errc::forbidden, "User is banned", "user_banned");
  return opening.grant(read_account(done->at(1), 0), done->at(2));
}

} // namespace jessica::storage
