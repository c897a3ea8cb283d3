#include "wire/account_admin_json.hpp"

#include "wire/auth_fields.hpp"
#include "wire/auth_json.hpp"
#include "wire/email_address.hpp"
#include "wire/json_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <format>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto most_per_page = std::int64_t{1000};
constexpr auto most_shown = std::size_t{64};

[[nodiscard]] std::unexpected<error> invalid(std::string what) {
  return fail(errc::invalid_input, std::move(what), "validation_failed");
}

[[nodiscard]] result<void> check_role(std::string_view role) {
  constexpr auto roles =
      std::array<std::string_view, 4>{"", "anon", "authenticated", "service_role"};
  if (std::ranges::contains(roles, role))
    return {};
  return invalid("role must be anon, authenticated or service_role");
}

[[nodiscard]] result<std::optional<user_id>> read_id(std::string_view text) {
  if (text.empty())
    return std::nullopt;
  const auto id = user_id::parse(text);
  if (!id)
    return invalid("ID must conform to the uuid v4 format");
  if (id->none())
    return invalid("ID cannot be a nil uuid");
  return id;
}

/// The password or the hash in its place.
[[nodiscard]] result<void> check_secrets(const account_fields& of,
                                         const password_policy& policy) {
  if (!of.password.empty() && !of.password_hash.empty())
    return invalid("Only a password or a password hash should be provided");
  return of.password.empty() ? result<void>{} : check_password(of.password, policy);
}

/// The texts that must be made sense of.
struct raw_texts {
  std::string id;
  std::string phone;
  std::string ban;
};

[[nodiscard]] result<void> read_metadata_of(const boost::json::object& body,
                                            account_fields& into) {
  auto user = read_metadata(body, "user_metadata");
  if (!user)
    return std::unexpected{std::move(user.error())};
  auto app = read_metadata(body, "app_metadata");
  if (!app)
    return std::unexpected{std::move(app.error())};
  const auto confirm = json_reader{body}.flag("email_confirm", false);
  if (!confirm)
    return std::unexpected{confirm.error()};
  into.user_metadata = std::move(*user);
  into.app_metadata = std::move(*app);
  into.confirm_email = *confirm;
  return {};
}

[[nodiscard]] result<void> make_sense(const raw_texts& raw, account_fields& into) {
  if (!raw.phone.empty())
    return fail(errc::invalid_input, "Phone signups are disabled",
                "phone_provider_disabled");
  if (!into.email.empty()) {
    auto email = read_email(std::move(into.email));
    if (!email)
      return std::unexpected{std::move(email.error())};
    into.email = std::move(*email);
  }
  const auto id = read_id(raw.id);
  if (!id)
    return std::unexpected{id.error()};
  into.id = *id;
  if (!raw.ban.empty()) {
    const auto ban = read_ban(raw.ban);
    if (!ban)
      return std::unexpected{ban.error()};
    into.ban = *ban;
  }
  return check_role(into.role);
}

[[nodiscard]] result<account_fields> read_fields(const boost::json::object& body,
                                                 const password_policy& policy) {
  auto made = account_fields{};
  auto raw = raw_texts{};
  if (auto texts = read_texts(body, {{"id", &raw.id},
                                     {"phone", &raw.phone},
                                     {"ban_duration", &raw.ban},
                                     {"email", &made.email},
                                     {"password", &made.password},
                                     {"password_hash", &made.password_hash},
                                     {"role", &made.role}});
      !texts)
    return std::unexpected{std::move(texts.error())};
  return make_sense(raw, made)
      .and_then([&] { return check_secrets(made, policy); })
      .and_then([&] { return read_metadata_of(body, made); })
      .transform([&] { return std::move(made); });
}

/// A unit at the start of `text`, in milliseconds; nullopt: none. Takes it off.
[[nodiscard]] std::optional<double> take_unit(std::string_view& text) {
  struct unit {
    std::string_view name;
    double milliseconds;
  };
  constexpr auto units = std::array<unit, 7>{{{"ns", 1e-6},
                                              {"us", 1e-3},
                                              {"\u00b5s", 1e-3},
                                              {"ms", 1},
                                              {"s", 1e3},
                                              {"m", 60e3},
                                              {"h", 3600e3}}};
  for (const auto& [name, milliseconds] : units)
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return milliseconds;
    }
  return std::nullopt;
}

/// A number without sign or exponent at the start of `text`. Takes it off.
[[nodiscard]] std::optional<double> take_number(std::string_view& text) {
  auto value = 0.0;
  const auto* const end = text.data() + text.size();
  const auto [after, fault] =
      std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (fault != std::errc{} || text.starts_with('-') || value != value)
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(after - text.data()));
  return value;
}

/// Digits only; empty: `otherwise`.
[[nodiscard]] result<std::int64_t> positive(std::string_view text,
                                            std::int64_t otherwise) {
  constexpr auto most = std::int64_t{1'000'000'000};
  if (text.empty())
    return otherwise;
  auto value = std::int64_t{0};
  const auto* const end = text.data() + text.size();
  const auto [after, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc{} || after != end || value < 0 || value > most)
    return invalid(
        "Bad Pagination Parameters: page and per_page must be whole numbers");
  return value == 0 ? otherwise : value;
}

} // namespace

result<account_fields> read_new_account(std::string_view body,
                                        const password_policy& policy) {
  return read_auth_body(body)
      .and_then([&](const auto& parsed) { return read_fields(parsed, policy); })
      .and_then([](account_fields&& made) -> result<account_fields> {
        if (made.email.empty())
          return invalid("Cannot create a user without either an email or phone");
        return std::move(made);
      });
}

result<account_fields> read_account_fields(std::string_view body,
                                           const password_policy& policy) {
  return read_auth_body(body).and_then(
      [&](const auto& parsed) { return read_fields(parsed, policy); });
}

result<std::chrono::milliseconds> read_ban(std::string_view text) {
  constexpr auto most = 292.0 * 366 * 24 * 3600e3; // as far as others can say it
  using std::chrono::milliseconds;
  if (text == "none" || text == "0")
    return milliseconds{0};
  const auto refuse = [whole = text] {
    return invalid(std::format("invalid format for ban duration: \"{}\"",
                               whole.substr(0, most_shown)));
  };
  auto sum = 0.0;
  do {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text) : std::nullopt;
    if (!unit || (sum += *number * *unit) > most)
      return refuse();
  } while (!text.empty());
  return milliseconds{static_cast<std::int64_t>(sum)};
}

result<bool> read_soft_delete(std::string_view body) {
  if (body.empty())
    return false;
  return parse_object(body).and_then([](const boost::json::object& parsed) {
    return json_reader{parsed}.flag("should_soft_delete", false);
  });
}

result<page_request> read_page(std::string_view page, std::string_view per_page) {
  auto asked = page_request{};
  const auto number = positive(page, asked.page);
  if (!number)
    return std::unexpected{number.error()};
  const auto size = positive(per_page, asked.per_page);
  if (!size)
    return std::unexpected{size.error()};
  return page_request{*number, std::min(*size, most_per_page)};
}

std::string accounts_json(const account_page& page) {
  auto users = std::string{"{\"users\":["};
  for (const auto& who : page.accounts) {
    if (users.back() != '[')
      users += ',';
    users += user_json(who);
  }
  return users + R"(],"aud":"authenticated"})";
}

std::string page_links(std::string_view path, const page_request& asked,
                       std::int64_t total) {
  const auto last = (total + asked.per_page - 1) / asked.per_page;
  const auto link = [&](std::int64_t page, std::string_view rel) {
    return std::format("<{}?page={}&per_page={}>; rel=\"{}\"", path, page,
                       asked.per_page, rel);
  };
  const auto next = last > asked.page ? link(asked.page + 1, "next") + ", " : "";
  return next + link(last, "last");
}

} // namespace jessica::wire
