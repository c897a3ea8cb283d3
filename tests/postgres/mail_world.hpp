// Codes for tests: mail without pauses, and a look into the letters.
#pragma once

#include "storage/mail_outbox.hpp"
#include "storage/mail_requests.hpp"
#include "storage/redeem.hpp"
#include "tests/postgres/accounts_world.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace jessica::test {

struct mail_world : accounts_world {
  storage::mail_rules rules = [this] {
    auto made = storage::mail_rules{limits, {}, storage::code_key::derive("a secret")};
    made.auth.autoconfirm = false;
    made.mail.interval = std::chrono::seconds{0};
    made.mail.per_hour = 1'000'000;
    return made;
  }();
  link_plan plan{"https://api.example/auth/v1/verify", "https://app.example/", {}};

  mail_world() { admin("delete from auth.mail_outbox"); }

  /// An app's challenge for the verifier.
  [[nodiscard]] link_plan plan_for(std::string_view verifier) const {
    auto made = plan;
    made.pkce = pkce_challenge{storage::challenge_of(verifier), true};
    return made;
  }

  /// The newest letter to an address.
  [[nodiscard]] letter letter_to(std::string_view email) const {
    const auto sealed = text_of("select sealed from auth.mail_outbox "
                                "where recipient = $1 order by id desc limit 1",
                                {std::string{email}});
    auto opened = rules.key.open(sealed);
    REQUIRE(opened);
    return std::move(*opened);
  }
  [[nodiscard]] static std::int64_t letters_to(std::string_view email) {
    return number_of("select count(*) from auth.mail_outbox where recipient = $1",
                     {std::string{email}});
  }

  [[nodiscard]] storage::pending_sign_up waiting(std::string email) {
    auto made =
        storage::sign_up_by_mail(db, rules, {std::move(email), "secret1", "{}"}, plan);
    REQUIRE(made);
    return std::move(*made);
  }

  [[nodiscard]] result<storage::redemption>
  show(verify_type type, std::string email, std::string secret, bool by_link = false) {
    return storage::redeem(db, rules, {type, std::move(email), std::move(secret)},
                           by_link, {});
  }
  [[nodiscard]] static std::string another(std::string code) {
    code.back() = code.back() == '9' ? '0' : static_cast<char>(code.back() + 1);
    return code;
  }
};

} // namespace jessica::test
