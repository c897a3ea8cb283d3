#include "storage/act_as.hpp"

#include <string>
#include <string_view>

namespace jessica::storage {
namespace {

// The role comes last: what stands before it is still ours to set. A transaction can
// become read-only at any time, and not go back once it has read.
constexpr auto become = std::string_view{R"(
  select set_config('search_path', '"public", "extensions"', true),
         set_config('transaction_read_only', $3, true),
         set_config('request.jwt.claims', $2, true),
         set_config('role', $1, true))"};

[[nodiscard]] statement become_with(std::string_view role, std::string claims,
                                    access mode) {
  return {std::string{become},
          {std::string{role}, std::move(claims),
           std::string{mode == access::read_only ? "on" : "off"}}};
}

} // namespace

statement act_as(const identity& who, access mode) {
  return become_with(name(who.role), who.claims, mode);
}

statement act_as_user(user_id user, access mode) {
  return become_with(name(db_role::authenticated),
                     R"({"sub":")" + user.str() + R"(","role":"authenticated"})", mode);
}

} // namespace jessica::storage
