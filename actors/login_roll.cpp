#include "actors/login_roll.hpp"

#include <algorithm>

namespace jessica::actors {

bool login_roll::over(const login& who, std::chrono::sys_seconds now) const {
  if (signed_out_.find(who) != nullptr)
    return true;
  const auto* const until = shut_out_.find(who.user);
  return until != nullptr && now < *until;
}

std::shared_ptr<user_meter> login_roll::enter(guest from, const login& who) {
  auto& user = users_[who.user];
  if (!user.meter) {
    const auto* const known = left_.find(who.user);
    user.meter = known != nullptr ? *known : std::make_shared<user_meter>();
    left_.erase(who.user);
  }
  auto& guests = user.logins[who.session].guests;
  if (!std::ranges::contains(guests, from)) {
    guests.push_back(from);
    logins_[from].push_back(who);
  }
  return user.meter;
}

void login_roll::drop(guest from, const login& who) {
  const auto user = users_.find(who.user);
  if (user == users_.end())
    return;
  auto& logins = user->second.logins;
  const auto one = logins.find(who.session);
  if (one == logins.end())
    return;
  std::erase(one->second.guests, from);
  if (!one->second.guests.empty())
    return;
  logins.erase(one);
  if (!logins.empty())
    return;
  left_.put(who.user, std::move(user->second.meter));
  users_.erase(user);
}

void login_roll::leave(guest from, const login& who) {
  const auto found = logins_.find(from);
  if (found == logins_.end() || std::erase(found->second, who) == 0)
    return;
  if (found->second.empty())
    logins_.erase(found);
  drop(from, who);
}

void login_roll::leave(guest from) {
  const auto gone = logins_.extract(from);
  if (!gone)
    return;
  for (const auto& who : gone.mapped())
    drop(from, who);
}

const login_roll::here* login_roll::find(const login& who) const {
  const auto user = users_.find(who.user);
  if (user == users_.end())
    return nullptr;
  const auto found = user->second.logins.find(who.session);
  return found == user->second.logins.end() ? nullptr : &found->second;
}

bool login_roll::confirmed(const login& who) const {
  const auto* const known = find(who);
  return known != nullptr && known->confirmed;
}

void login_roll::confirm(const login& who) {
  if (find(who) != nullptr)
    users_[who.user].logins[who.session].confirmed = true;
}

std::vector<login> login_roll::doubt_all() {
  auto all = std::vector<login>{};
  for (auto& [id, user] : users_)
    for (auto& [session, known] : user.logins) {
      known.confirmed = false;
      all.push_back({id, session});
    }
  return all;
}

std::vector<std::pair<login_roll::guest, login>>
login_roll::apply(const access_change& change) {
  using kind = access_change::kind;
  const auto& who = change.who;
  switch (change.what) {
  case kind::let_in:
    shut_out_.erase(who.user);
    return {};
  case kind::signed_out:
    signed_out_.put(who, true);
    break;
  case kind::shut_out:
    shut_out_.put(who.user, change.until);
    break;
  }
  auto ended = std::vector<std::pair<guest, login>>{};
  const auto user = users_.find(who.user);
  if (user == users_.end())
    return ended;
  for (const auto& [session, known] : user->second.logins)
    if (change.what == kind::shut_out || session == who.session)
      for (const auto one : known.guests)
        ended.emplace_back(one, login{who.user, session});
  for (const auto& [from, what] : ended)
    leave(from, what);
  return ended;
}

} // namespace jessica::actors
