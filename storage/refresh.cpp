#include "storage/account_row.hpp"
#include "storage/accounts.hpp"
#include "storage/auth_session.hpp"
#include "storage/refresh_token.hpp"

#include <array>
#include <ranges>
#include <utility>

namespace jessica::storage {
namespace {

// Newer tokens of the session, oldest first, as the salts they were made with.
constexpr auto find_presented = std::string_view{R"(,
    floor(extract(epoch from s.created_at))::bigint, s.method,
    coalesce(s.not_after <= now(), false)
      or ($4::int8 > 0 and s.created_at + make_interval(secs => $4::int8) <= now()),
    coalesce(u.banned_until > now(), false),
    t.id is not null,
    now() < coalesce(s.refreshed_at, s.created_at) + make_interval(secs => $3),
    newer.count, newer.salts, newer.live,
    $5::int8 > 0 and coalesce(s.refreshed_at, s.created_at)
      + make_interval(secs => $5::int8) <= now()
  from auth.sessions s
  join auth.users u on u.id = s.user_id and u.deleted_at is null
  left join auth.refresh_tokens t on t.session_id = s.id and t.token = $2
  left join lateral (
    select count(*), string_agg(n.salt, ',' order by n.id) as salts,
           (array_agg(n.token order by n.id desc))[1] as live
    from auth.refresh_tokens n where n.session_id = s.id and n.id > t.id
  ) newer on true
  where s.id = $1)"};

// The session's row is locked first, as a logout does. Two rotations of one token: the
// second finds it revoked and stores nothing.
constexpr auto rotate_token = std::string_view{R"(
  with s as (
    select id from auth.sessions where id = $1 for update
  ), used as (
    update auth.refresh_tokens t set revoked = true, updated_at = now()
    from s where t.session_id = s.id and t.token = $2 and not t.revoked
    returning t.session_id, t.user_id
  ), seen as (
    update auth.sessions x set refreshed_at = now(), user_agent = $5, ip = $6::inet
    from used where x.id = used.session_id
  ), made as (
    insert into auth.refresh_tokens (token, user_id, session_id, parent, salt)
    select $3, used.user_id, used.session_id, $2, $4 from used
    returning id
  )
  select count(*) from made)"};

constexpr auto end_stolen = std::string_view{"delete from auth.sessions where id = $1"};

constexpr auto limit_lock_wait =
    std::string_view{"select set_config('lock_timeout', '5s', true)"};
constexpr auto lock_not_available = std::string_view{"55P03"};

[[nodiscard]] std::unexpected<error> refuse(std::string what, std::string reason) {
  return fail(errc::unauthenticated, "Invalid Refresh Token: " + what,
              std::move(reason));
}

[[nodiscard]] std::unexpected<error> busy() {
  return fail(errc::conflict, "Too many concurrent token refresh requests", "conflict");
}

/// What the database knows of a presented token.
struct presented {
  refresh_token token;
  rows found; ///< one row of find_presented

  [[nodiscard]] bool flag(int column) const {
    return found.text(0, account_width + column) == "t";
  }
  [[nodiscard]] bool expired() const { return flag(2); }
  [[nodiscard]] bool banned() const { return flag(3); }
  [[nodiscard]] bool known() const { return flag(4); }
  [[nodiscard]] bool just_refreshed() const { return flag(5); }
  [[nodiscard]] std::int64_t newer() const {
    return found.integer(0, account_width + 6);
  }
  [[nodiscard]] std::string_view salts() const {
    return found.text(0, account_width + 7);
  }
  [[nodiscard]] std::string_view live_hash() const {
    return found.text(0, account_width + 8);
  }
  [[nodiscard]] bool inactive() const { return flag(9); }
  [[nodiscard]] session_grant grant(const refresh_token& live) const {
    return read_grant(read_account(found, 0), live, found, account_width);
  }
};

[[nodiscard]] result<presented> look_up(connection& db,
                                        const config::auth_settings& limits,
                                        const refresh_token& token) {
  auto found =
      db.run({"select " + std::string{account_columns} + std::string{find_presented},
              {token.session().str(), token.hash(),
               std::to_string(limits.refresh_reuse.count()),
               std::to_string(limits.session_timebox.count()),
               std::to_string(limits.session_inactivity.count())}});
  if (!found)
    return std::unexpected{std::move(found.error())};
  if (found->size() == 0)
    return refuse("No Valid Session Found", "session_not_found");
  auto what = presented{token, std::move(*found)};
  if (!what.known())
    return refuse("Refresh Token Not Found", "refresh_token_not_found");
  if (what.expired())
    return refuse("Session Expired", "session_expired");
  if (what.inactive())
    return refuse("Session Expired (Inactivity)", "session_inactive");
  if (what.banned())
    return refuse("User Banned", "user_banned");
  return what;
}

/// False: another refresh or a logout came first.
[[nodiscard]] result<bool> rotate(connection& db, const refresh_token& used,
                                  const refresh_token& made, std::string_view salt,
                                  const client_origin& from) {
  const auto statements =
      std::array{statement{std::string{limit_lock_wait}, {}},
                 statement{std::string{rotate_token},
                           {used.session().str(), used.hash(), made.hash(),
                            std::string{salt}, program_of(from), address_of(from)}}};
  const auto rotated = db.run(statements);
  if (rotated)
    return rotated->at(1).integer(0, 0) == 1;
  if (rotated.error().sql && rotated.error().sql->sqlstate == lock_not_available)
    return busy();
  return std::unexpected{rotated.error()};
}

/// The live token again, for a client that lost the answer.
[[nodiscard]] result<session_grant> repeat_live(const presented& what) {
  auto live = what.token;
  auto made = std::int64_t{0};
  for (const auto salt : std::views::split(what.salts(), ',')) {
    live = live.next(std::string_view{salt});
    ++made;
  }
  if (made != what.newer() || live.hash() != what.live_hash())
    return fail(errc::internal, "a session's refresh tokens do not follow each other");
  return what.grant(live);
}

/// An old token comes back late: somebody has a copy. The session ends for both.
[[nodiscard]] result<session_grant> end_session(connection& db,
                                                auth_session_id session) {
  if (auto ended = db.run({std::string{end_stolen}, {session.str()}}); !ended)
    return std::unexpected{std::move(ended.error())};
  return refuse("Already Used", "refresh_token_already_used");
}

} // namespace

result<session_grant> refresh(connection& db, const config::auth_settings& limits,
                              std::string_view refresh_token_text,
                              const client_origin& from) {
  // A lost race means that another refresh succeeded, so the token is the live one's
  // parent when it is looked up again: the second turn settles it.
  constexpr auto turns = 3;
  const auto token = refresh_token::parse(refresh_token_text);
  if (!token)
    return refuse("Refresh Token Not Found", "refresh_token_not_found");
  for (auto turn = 0; turn < turns; ++turn) {
    const auto what = look_up(db, limits, *token);
    if (!what)
      return std::unexpected{what.error()};
    if (what->newer() == 1 || (what->newer() > 1 && what->just_refreshed()))
      return repeat_live(*what);
    if (what->newer() > 1)
      return end_session(db, token->session());
    const auto salt = refresh_token::make_salt();
    const auto next = token->next(salt);
    const auto rotated = rotate(db, *token, next, salt, from);
    if (!rotated)
      return std::unexpected{rotated.error()};
    if (*rotated)
      return what->grant(next);
  }
  return busy();
}

} // namespace jessica::storage
