#include "net/foreign_users.hpp"

#include "net/recently.hpp"

#include <chrono>
#include <utility>

namespace jessica::net {
namespace {

constexpr auto remembered_for = std::chrono::minutes{10};
constexpr auto most_remembered = std::size_t{10'000};

/// Each reactor is one thread and has its own.
[[nodiscard]] recently<user_id>& welcomed() {
  thread_local auto users = recently<user_id>{remembered_for, most_remembered};
  return users;
}

} // namespace

boost::asio::awaitable<result<void>> welcome(const identity& who,
                                             std::string_view method, call in) {
  const auto reads = method == "GET" || method == "HEAD";
  if (!who.foreign || !who.signed_in() || reads)
    co_return result<void>{};
  const auto now = std::chrono::steady_clock::now();
  if (welcomed().saw(who.user, now))
    co_return result<void>{};
  const auto known = co_await in.actors.ask<actors::done>(
      in.with.accounts, actors::welcome_user{who.user},
      in.with.settings.net.request_timeout);
  if (!known)
    co_return std::unexpected{known.error()};
  welcomed().see(who.user, now);
  co_return result<void>{};
}

} // namespace jessica::net
