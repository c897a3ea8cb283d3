// A room: what happens on one topic. No actor: a plain object of its CHANNEL, small,
// since many have one member.
#pragma once

#include "actors/audience.hpp"
#include "actors/presence.hpp"
#include "actors/running_replies.hpp"
#include "actors/stored_delivery.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jessica::actors {

/// What concerns a socket that is no member is ignored. Members whose SESSION died
/// without a word leave as soon as their socket is found closed.
class room {
public:
  explicit room(topic_view what);
  room(room&&) = delete;

  /// As long as the room lives.
  [[nodiscard]] topic_view subject() const noexcept;
  [[nodiscard]] std::span<const member> members() const noexcept { return members_; }
  /// Whose past is still being read: not answered yet.
  [[nodiscard]] std::span<const newcomer> arriving() const noexcept {
    return arriving_ ? std::span<const newcomer>{*arriving_}
                     : std::span<const newcomer>{};
  }
  /// Nobody is in it, nothing is written in it, nobody was promised that it stays.
  [[nodiscard]] bool unused() const noexcept;
  /// It stays for a reply that is about to begin.
  void expect_use() noexcept { ++uses_expected_; }

  /// Answers the phx_join, then sends what there is; of one that is to be replayed the
  /// past, only when replay() brings it. A socket's older membership ends.
  void admit(newcomer who);
  void leave(socket_number socket);
  /// What a member hears from now on it hears from its beginning.
  void change_hearing(const hear& msg);
  void tell(const wire::app_broadcast& what, socket_number sender);
  void greet(const actors::greet& msg);

  void show(const track& msg);
  void hide(socket_number socket);

  void tell_stored(const stored_ptr& what);
  void expect_own(const actors::expect_own& msg);
  void forget_own(const actors::forget_own& msg);
  void replay(const replay_to& msg);

  void begin_reply(const reply_begun& msg);
  void grow_reply(const reply_grew& msg);
  void end_reply(const reply_over& msg);

private:
  [[nodiscard]] audience all() noexcept { return {spelled_, members_, &lost_}; }
  [[nodiscard]] member* find(socket_number socket);
  const member& welcome(newcomer who);
  void send_presence_state(const member& to) const;
  void send_presence_diff(std::string_view diff);
  void untrack(socket_number socket);
  void remove(socket_number socket);
  void remove_lost();
  void expect_one_less() noexcept;

  std::string spelled_; ///< as clients spell it: "realtime:<name>"
  bool is_private_;
  std::vector<member> members_;
  std::unique_ptr<std::vector<newcomer>> arriving_; ///< null: none; few ever do
  std::vector<socket_number> lost_; ///< members whose sockets were found closed
  std::unique_ptr<presence> here_;  ///< null: nobody ever showed itself
  stored_delivery stored_;
  running_replies replies_;
  std::size_t uses_expected_ = 0; ///< INFERENCEs that asked for us and have not begun
};

} // namespace jessica::actors
