#include "actors/room.hpp"

#include "domain/ids.hpp"
#include "wire/channel.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {

room::room(topic_view what)
    : spelled_(std::string{wire::topic_prefix} += what.name),
      is_private_(what.is_private) {}

topic_view room::subject() const noexcept {
  return {std::string_view{spelled_}.substr(wire::topic_prefix.size()), is_private_};
}

bool room::unused() const noexcept {
  return members_.empty() && !arriving_ && replies_.empty() && uses_expected_ == 0;
}

member* room::find(socket_number socket) {
  const auto found = std::ranges::find(members_, socket, &member::socket);
  return found == members_.end() ? nullptr : &*found;
}

// --- members -------------------------------------------------------------------------

void room::remove(socket_number socket) {
  std::erase_if(members_, [&](const member& who) { return who.socket == socket; });
  if (arriving_)
    std::erase_if(*arriving_,
                  [&](const auto& who) { return who.member.socket == socket; });
  if (arriving().empty())
    arriving_.reset();
  replies_.forget(socket);
  stored_.forget(socket);
  untrack(socket);
}

/// Their own going may find others.
void room::remove_lost() {
  while (!lost_.empty()) {
    const auto socket = lost_.back();
    lost_.pop_back();
    remove(socket);
  }
}

void room::admit(newcomer who) {
  remove(who.member.socket);
  if (who.replayed) {
    if (!arriving_)
      arriving_ = std::make_unique<std::vector<newcomer>>();
    arriving_->push_back(std::move(who));
  } else {
    welcome(std::move(who));
  }
  remove_lost();
}

const member& room::welcome(newcomer who) {
  auto& to = who.member;
  to.out->push(wire::encode_reply(to.version, to.join_ref, who.ref, spelled_, true,
                                  who.join_response));
  if (to.presence)
    send_presence_state(to);
  for (const auto& [event, payload] : who.greetings)
    to.out->push(wire::encode_message(to.version, to.join_ref, std::nullopt, spelled_,
                                      event, payload));
  if (to.broadcasts)
    replies_.show(all(), to);
  return members_.emplace_back(std::move(to));
}

void room::leave(socket_number socket) {
  remove(socket);
  remove_lost();
}

void room::change_hearing(const hear& msg) {
  if (arriving_)
    for (auto& who : *arriving_)
      if (who.member.socket == msg.socket) {
        who.member.presence = msg.presence;
        who.member.broadcasts = msg.broadcasts;
      }
  auto* const who = find(msg.socket);
  if (who == nullptr)
    return;
  if (!std::exchange(who->presence, msg.presence) && msg.presence)
    send_presence_state(*who);
  if (!std::exchange(who->broadcasts, msg.broadcasts) && msg.broadcasts)
    replies_.show(all(), *who);
  if (!msg.broadcasts)
    replies_.forget(msg.socket);
}

void room::tell(const wire::app_broadcast& what, socket_number sender) {
  all().tell(what, sender);
  remove_lost();
}

void room::greet(const actors::greet& msg) {
  const auto* const who = find(msg.socket);
  if (who != nullptr && who->join_ref == msg.join_ref)
    who->out->push(wire::encode_message(who->version, who->join_ref, std::nullopt,
                                        spelled_, msg.what.event, msg.what.payload));
}

// --- presence ------------------------------------------------------------------------

void room::send_presence_state(const member& to) const {
  to.out->push(wire::encode_message(to.version, to.join_ref, std::nullopt, spelled_,
                                    "presence_state",
                                    here_ ? here_->state() : std::string{"{}"}));
}

void room::send_presence_diff(std::string_view diff) {
  auto frames = encoded{[&](wire::serializer version) {
    return wire::encode_message(version, std::nullopt, std::nullopt, spelled_,
                                "presence_diff", diff);
  }};
  for (const auto& to : members_)
    if (to.presence)
      all().push(to, frames.for_member(to));
}

void room::show(const track& msg) {
  auto* const who = find(msg.socket);
  if (who == nullptr)
    return;
  if (who->presence_key.empty())
    who->presence_key = uuid::make().str();
  if (!here_)
    here_ = std::make_unique<presence>();
  send_presence_diff(here_->track(msg.socket, who->presence_key, msg.meta));
  remove_lost();
}

void room::untrack(socket_number socket) {
  if (!here_)
    return;
  if (const auto diff = here_->untrack(socket))
    send_presence_diff(*diff);
}

void room::hide(socket_number socket) {
  untrack(socket);
  remove_lost();
}

// --- stored broadcasts ---------------------------------------------------------------

void room::tell_stored(const stored_ptr& what) {
  for (const auto& who : arriving())
    stored_.hold(who.member, what);
  stored_.tell(all(), what);
  remove_lost();
}

void room::expect_own(const actors::expect_own& msg) {
  if (find(msg.socket) != nullptr)
    stored_.expect_own(msg.socket, msg.id);
}

void room::forget_own(const actors::forget_own& msg) {
  stored_.forget_own(msg.socket, msg.id);
}

void room::replay(const replay_to& msg) {
  const auto is_meant = [&](const newcomer& who) {
    return who.member.socket == msg.socket && who.member.join_ref == msg.join_ref;
  };
  const auto found = std::ranges::find_if(arriving(), is_meant);
  if (found == arriving().end())
    return;
  auto who = newcomer{*found};
  std::erase_if(*arriving_, is_meant);
  if (arriving_->empty())
    arriving_.reset();
  stored_.replay(spelled_, welcome(std::move(who)), msg.what);
  remove_lost();
}

// --- replies -------------------------------------------------------------------------

void room::expect_one_less() noexcept {
  uses_expected_ -= std::min(uses_expected_, std::size_t{1});
}

void room::begin_reply(const reply_begun& msg) {
  expect_one_less();
  replies_.begin(all(), msg);
  remove_lost();
}

void room::grow_reply(const reply_grew& msg) {
  replies_.grow(all(), msg);
  remove_lost();
}

void room::end_reply(const reply_over& msg) {
  if (!replies_.runs(msg.of.reply))
    expect_one_less(); // it ended before it began
  replies_.end(all(), msg);
  remove_lost();
}

} // namespace jessica::actors
