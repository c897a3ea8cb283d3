#include "wire/account_change_json.hpp"

#include "wire/auth_fields.hpp"
#include "wire/email_address.hpp"

#include <utility>

namespace jessica::wire {
namespace {

[[nodiscard]] bool is_given(const boost::json::object& body, std::string_view field) {
  const auto* found = body.if_contains(field);
  return found != nullptr && !found->is_null();
}

} // namespace

result<user_change_request> read_user_change(std::string_view body,
                                             const password_policy& policy) {
  const auto parsed = read_auth_body(body);
  if (!parsed)
    return std::unexpected{parsed.error()};
  auto made = user_change_request{};
  auto phone = std::string{};
  if (auto texts = read_texts(*parsed, {{"email", &made.email},
                                        {"phone", &phone},
                                        {"password", &made.password},
                                        {"current_password", &made.current_password},
                                        {"nonce", &made.nonce}});
      !texts)
    return std::unexpected{std::move(texts.error())};
  if (!phone.empty())
    return fail(errc::invalid_input, "Phone signups are disabled",
                "phone_provider_disabled");
  if (!made.email.empty()) {
    auto email = read_email(std::move(made.email));
    if (!email)
      return std::unexpected{std::move(email.error())};
    made.email = std::move(*email);
  }
  if (is_given(*parsed, "password"))
    if (auto strong = check_password(made.password, policy); !strong)
      return std::unexpected{std::move(strong.error())};
  auto data = read_metadata(*parsed, "data");
  if (!data)
    return std::unexpected{std::move(data.error())};
  made.data = std::move(*data);
  if (is_given(*parsed, "app_metadata"))
    return fail(errc::forbidden, "a user may not change app_metadata",
                "app_metadata_refused");
  return made;
}

} // namespace jessica::wire
