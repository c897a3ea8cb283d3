// Where the database is and how to log in there as one of our roles.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace jessica::storage {

/// A PostgreSQL server. `conninfo` is a libpq connection string or URL without a role.
/// In our own cluster each role logs in by itself (peer authentication); on a foreign
/// server (`switch_role`) we log in as the URL says and SET ROLE afterwards.
struct endpoint {
  std::string conninfo;
  bool switch_role = false;
  std::chrono::seconds connect_timeout{5};
};

/// The roles of migrations/000: each pool of connections uses exactly one.
namespace role {
inline constexpr auto requests = std::string_view{"authenticator"};
inline constexpr auto engine = std::string_view{"jessica_engine"};
inline constexpr auto accounts = std::string_view{"supabase_auth_admin"};
inline constexpr auto feed = std::string_view{"jessica_wal"};
inline constexpr auto migrations = std::string_view{"postgres"};
} // namespace role

} // namespace jessica::storage
