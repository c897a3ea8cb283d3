#include "domain/password_policy.hpp"

#include "domain/known_passwords.hpp"

#include <algorithm>
#include <format>
#include <utility>

namespace jessica {
namespace {

[[nodiscard]] std::size_t characters_of(std::string_view text) {
  constexpr auto kind_bits = 0xC0U;
  constexpr auto continuation = 0x80U;
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
    return (static_cast<unsigned char>(c) & kind_bits) != continuation;
  }));
}

[[nodiscard]] std::vector<std::string> sets_of(std::string_view required) {
  auto sets = std::vector<std::string>{{}};
  for (auto i = std::size_t{0}; i < required.size(); ++i) {
    if (required[i] == '\\' && required.substr(i + 1).starts_with(':'))
      sets.back() += required[++i];
    else if (required[i] == ':')
      sets.emplace_back();
    else
      sets.back() += required[i];
  }
  std::erase(sets, std::string{});
  return sets;
}

[[nodiscard]] bool has_one_of(std::string_view password, std::string_view set) {
  return password.find_first_of(set) != std::string_view::npos;
}

[[nodiscard]] std::string list(const std::vector<std::string>& sets) {
  auto text = std::string{};
  for (const auto& set : sets) {
    text += text.empty() ? "" : ", ";
    text += set;
  }
  return text;
}

void add(password_weakness& to, std::string_view reason, std::string_view message) {
  to.reasons.push_back(reason);
  to.message += to.message.empty() ? "" : " ";
  to.message += message;
}

} // namespace

std::optional<password_weakness> weakness_of(std::string_view password,
                                             const password_policy& by) {
  auto weak = password_weakness{};
  if (characters_of(password) < by.min_characters)
    add(weak, "length",
        std::format("Password should be at least {} characters.", by.min_characters));
  const auto sets = sets_of(by.required);
  if (!std::ranges::all_of(sets,
                           [&](const auto& set) { return has_one_of(password, set); }))
    add(weak, "characters",
        std::format("Password should contain at least one character of each: {}.",
                    list(sets)));
  if (by.refuse_known && is_known_password(password))
    add(weak, "pwned",
        "Password is known to be weak and easy to guess, please choose a different "
        "one.");
  return weak.reasons.empty() ? std::nullopt : std::optional{std::move(weak)};
}

result<void> check_password(std::string_view password, const password_policy& by) {
  if (password.size() > by.max_bytes)
    return fail(
        errc::invalid_input,
        std::format("Password cannot be longer than {} characters", by.max_bytes),
        "validation_failed");
  auto weak = weakness_of(password, by);
  if (!weak)
    return {};
  auto reason = std::string{"weak_password"};
  for (const auto word : weak->reasons)
    (reason += reason.contains(':') ? ',' : ':') += word;
  return fail(errc::invalid_input, std::move(weak->message), std::move(reason));
}

bool is_known_password(std::string_view password) {
  constexpr auto longest = std::size_t{64};
  if (password.size() > longest)
    return false;
  auto lower = std::string{password};
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return std::ranges::binary_search(known_passwords(), std::string_view{lower});
}

} // namespace jessica
