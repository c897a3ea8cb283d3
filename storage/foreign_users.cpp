#include "storage/foreign_users.hpp"

#include <string>
#include <string_view>

namespace jessica::storage {
namespace {

constexpr auto add_user = std::string_view{R"(
  insert into auth.users (id, aud, role, raw_app_meta_data, raw_user_meta_data)
  select $1::uuid, 'authenticated', 'authenticated',
    '{"provider": "trusted_issuer", "providers": ["trusted_issuer"]}', '{}'
  where not exists (select from auth.users where id = $1::uuid)
  on conflict do nothing)"};

} // namespace

result<void> welcome_user(connection& db, user_id user) {
  return db.run({std::string{add_user}, {user.str()}}).transform([](const rows&) {});
}

} // namespace jessica::storage
