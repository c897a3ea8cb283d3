// Users of the trusted issuer: nothing of ours knows them until they write.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "net/router.hpp"

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace jessica::net {

/// Before a foreign user's request that may write: rows may refer to the user. Asks
/// ACCOUNTS once in ten minutes and reactor; all others pass at once. Fails as ACCOUNTS
/// does.
[[nodiscard]] boost::asio::awaitable<result<void>>
welcome(const identity& who, std::string_view method, call in);

} // namespace jessica::net
