// Whose sockets are here, by login, and which logins are known to be over. Plain
// values: DOORKEEPER works on one, which outlives it.
#pragma once

#include "actors/recent.hpp"
#include "actors/user_meter.hpp"
#include "domain/login.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace jessica::actors {

/// One thread at a time.
class login_roll {
public:
  using guest = std::uint64_t; ///< a SESSION, by its actor's id

  /// Remembers at least the last `remembered` logins that ended.
  explicit login_roll(std::size_t remembered)
      : signed_out_(remembered), shut_out_(remembered), left_(remembered_meters) {}

  /// As far as is remembered: the database may know better.
  [[nodiscard]] bool over(const login& who, std::chrono::sys_seconds now) const;

  /// The guest is here with this login. Gives what the user's sockets share.
  std::shared_ptr<user_meter> enter(guest from, const login& who);
  void leave(guest from, const login& who);
  void leave(guest from);

  /// The database was asked about the login while a guest of it was here, and
  /// everything that happened to it since was heard.
  [[nodiscard]] bool confirmed(const login& who) const;
  void confirm(const login& who);
  /// Something may have been missed: nothing is confirmed any more. Gives all logins.
  [[nodiscard]] std::vector<login> doubt_all();

  /// Remembers it; gives whom it ends, each with its login.
  std::vector<std::pair<guest, login>> apply(const access_change& change);

  [[nodiscard]] std::size_t guests() const { return logins_.size(); }

private:
  /// A user who comes back within moments has not become another one.
  static constexpr auto remembered_meters = std::size_t{4096};

  struct here {
    bool confirmed = false;
    std::vector<guest> guests;
  };
  struct person {
    std::shared_ptr<user_meter> meter;
    std::map<auth_session_id, here> logins;
  };

  [[nodiscard]] const here* find(const login& who) const;
  void drop(guest from, const login& who);

  std::unordered_map<user_id, person> users_;
  std::unordered_map<guest, std::vector<login>> logins_;
  recent<login, bool> signed_out_;
  recent<user_id, std::chrono::sys_seconds> shut_out_;
  recent<user_id, std::shared_ptr<user_meter>> left_;
};

} // namespace jessica::actors
